from kerashw.benchmark.topics import growth


def test_each_size_is_measured_once(data):
    messages = []
    growths = growth.measure_growth(
        "softmax", data.first(600, 100), 1, messages.append, (200, 600), (64, 128)
    )
    assert len(messages) == 3
    assert list(growths.by_examples) == [200, 600]
    assert list(growths.by_batch_size) == [64, 128]
    assert growths.by_examples[600] == growths.by_batch_size[128]


def test_the_tables_have_the_ratios_of_medians():
    one = growth.Growth("mlp", {1: [1.0], 2: [2.5], 4: [4.0, 5.0, 9.0]}, {32: [3.0], 128: [1.5]})
    by_examples, by_batch_size = growth.tables([one])
    assert [row[2] for row in by_examples.rows] == [1.0, 2.5, 2.0]
    assert by_examples.rows[2][:2] == (4, [4.0, 5.0, 9.0])
    assert [row[2] for row in by_batch_size.rows] == [2.0, 1.0]
