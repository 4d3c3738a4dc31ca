"""The book: `sphinx-build -W notebooks build/book` (extra: docs)."""

import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.domains.python import PyXRefRole

BOOK = Path(__file__).parent
ROOT = BOOK.parent
sys.path.insert(0, str(ROOT))  # the package beside the book, also where another one is installed

import kerashw
from kerashw.console import quiet_import

with quiet_import():  # hides what TensorFlow logs about the machine
    import keras  # noqa: F401 - before the modules that the book documents

project = "kerashw"
version = release = kerashw.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
# The book works from file:// and without a network, formulas and search included.
html_theme = "furo"
html_title = f"kerashw {version}"
pygments_dark_style = "github-dark"
html_favicon = "../kerashw/serve/page/icon.svg"
html_static_path = ["book.css"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_copyright = html_show_sphinx = False
html_show_search_summary = False  # it would read pages, which browsers forbid from file://
exclude_patterns = ["**/.ipynb_checkpoints"]
# One file of MathJax, which draws formulas as SVG and so needs no fonts.
_mathjax = importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations[0]
html_static_path.append(f"{_mathjax}/static/mathjax/tex-svg.js")
mathjax_path = "tex-svg.js"

# The notebooks are committed with their outputs.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath", "html_image"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
# An included file begins with a heading of its own; Pygments does not know all of PromQL.
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
napoleon_custom_sections = ["Input shape", "Output shape", "Input shape, output shape", "Reference"]
napoleon_use_rtype = False
default_role = "code-or-link"
# Text files, in the first of Sphinx's formats, of the names that docstrings link to.
intersphinx_mapping = {
    "keras": ("https://keras.io/api/", "inventories/keras.txt"),
    "numpy": ("https://numpy.org/doc/stable/reference/", "inventories/numpy.txt"),
    "tensorflow": ("https://www.tensorflow.org/api_docs/python/", "inventories/tensorflow.txt"),
}

# Files of the repository that are pages of the book.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "why/changelog.md",
    "CONTRIBUTING.md": "why/design.md",
    "kerashw/benchmark/TUNING.md": "why/speed.md",
    "kerashw/datasets/archives/README.md": "why/mnist.md",
    "kerashw/serve/DIFFERENCES.md": "why/differences.md",
    "serving/README.md": "how-to/serve.md",
}
FORMULA = [
    (r"([{}])", r"\\\1"),
    (r"_\(([^)]*)\)", r"_{\1}"),
    (r"√\(([^()]*)\)", r"\\sqrt{\1}"),
    (
        r"\b(count|for|log|max|exp|softmax|sigmoid|label|threshold|activation|ReLU)\b",
        r"\\operatorname{\1}",
    ),
    (r"\blearning_rate\b", r"\\mathrm{learning\\_rate}"),
    (r"\bClass\b", r"\\text{Class }"),
    (r"ᵀ", r"^\\top "),
    (r"²", r"^2"),
    (r"ᵣ", r"_r"),
    (r"Σ_(\w+)", r"\\sum_{\1}"),
    (r"Σ", r"\\sum "),
    (r"\*", r"\\ast "),
    (r" +(?=[=←])", ""),
    (r" {3,}", r"\\qquad "),
]


def link_inside_book(text, folder, page):
    """Return the text with its relative links as those of a page of the book.

    Args:
        text: String, Markdown.
        folder: `Path` of the folder of the file with the text.
        page: String, the name of the page that shows it.
    """

    def replace(match):
        before, path, anchor = match.groups("")
        file = (folder / path).resolve()
        if file.is_relative_to(ROOT) and file.exists():
            name = PAGES.get(file.relative_to(ROOT).as_posix())
            file = BOOK / name if name else file
            path = Path(os.path.relpath(file, (BOOK / page).parent)).as_posix()
        return f"{before}{path}{anchor}"

    return re.sub(r'(\]\(|src=\\?")(?!https?:)([^)#\s"\\]+)(#[^)\s]*)?', replace, text)


def link_included(app, path, _, content):
    """Correct the links of a file that a page includes."""
    folder = (BOOK / path).resolve().parent
    content[0] = link_inside_book(content[0], folder, app.env.docname)


def link_page(app, page, content):
    """Correct the links of a page to files that are pages too."""
    content[0] = link_inside_book(content[0], (BOOK / page).parent, page)


def signature_of_init(app, what, name, target, options, signature, annotation):
    """Return the signature of a Keras class, which its `__new__` hides."""
    if what == "class" and signature == "(*args, **kwargs)":
        parameters = list(inspect.signature(target.__init__).parameters.values())[1:]
        signature = str(inspect.Signature(parameters))
    return signature, annotation


def typeset_formulas(app, what, name, target, options, lines):
    """Replace the indented formulas of a docstring by mathematics."""
    text = re.sub(r"(?<=\n)\n((?: {4}.*\n)+)(?=\n|\Z)", _typeset, "\n".join([*lines, ""]))
    # In reStructuredText, a letter cannot follow code: `Node`s.
    text = re.sub(r"(`[^`\n]+`)(?=\w)", r"\1\\ ", text)
    text = re.sub(r"\bNumPy array(?!`)", r":obj:`NumPy array <numpy.ndarray>`\\ ", text)
    lines[:] = text.split("\n")


def _typeset(match):
    block = match[1]
    if not re.search(r"[=←∝(]", block) or re.search(r">>>|\.\. |`|\"", block):
        return match[0]
    rows = [line.strip() for line in block.splitlines()]
    for pattern, replacement in FORMULA:
        rows = [re.sub(pattern, replacement, row) for row in rows]
    body = " \\\\\n   ".join(re.sub(r"\s*([=←∝∈])", r" &\1", row, count=1) for row in rows)
    return f"\n.. math::\n\n   \\begin{{aligned}}\n   {body}\n   \\end{{aligned}}\n"


def code_or_link(role, rawtext, text, *where, **settings):
    """Return text in single backticks as code, which is a link if it names a documented object."""
    if re.fullmatch(r"[A-Za-z_][\w.]*(\(\))?", text):
        # A class without its module is searched for in all modules.
        target = f".{text}" if re.fullmatch(r"[A-Z][a-z]\w*", text) else text
        return PyXRefRole()("py:obj", rawtext, target, *where, **settings)
    return [nodes.literal(text, text)], []


class CommandHelp(Directive):
    """The help text of a command of the package, as it prints it."""

    required_arguments = 1

    def run(self):
        """Run the command."""
        module = f"kerashw.{self.arguments[0]}" if self.arguments[0] != "kerashw" else "kerashw"
        text = subprocess.run(
            [sys.executable, "-m", module, "--help"],
            env=os.environ | {"COLUMNS": "90", "NO_COLOR": "1"},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        return [nodes.literal_block(text, text, language="text")]


def setup(app):
    """Add what Sphinx does not have."""
    app.add_role("code-or-link", code_or_link)
    app.add_directive("command-help", CommandHelp)
    app.connect("autodoc-process-signature", signature_of_init)
    app.connect("autodoc-process-docstring", typeset_formulas, priority=400)  # before napoleon
    app.connect("include-read", link_included)
    app.connect("source-read", link_page)
