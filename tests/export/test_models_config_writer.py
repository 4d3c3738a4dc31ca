import re

from kerashw.export import write_models_config


def test_models_config_lists_the_models_with_absolute_paths(tmp_path, monkeypatch):
    for folder in ("b/2", "a/1", "not a model", "a/.writing-x"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    text = write_models_config(".").read_text()
    assert re.findall(r'name: "(.*)"', text) == ["a", "b"]
    assert re.findall(r'base_path: "(.*)"', text) == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert text.count("{") == text.count("}") == 3
