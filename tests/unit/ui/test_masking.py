import base64
import json
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from aiinfra.ui.masking import Masker

SECRET = 'pa"ss & wörd/1'
KUBECONFIG = """\
apiVersion: v1
clusters:
- cluster: {server: "https://127.0.0.1:6443"}
users:
- user: {token: eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9.payload0.signature1}
"""


@pytest.mark.parametrize(
    "travels_as",
    [
        SECRET,
        json.dumps(SECRET),
        repr(SECRET),
        quote(SECRET, safe=""),
        escape(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_form_in_which_it_travels(travels_as: str) -> None:
    shown = Masker([SECRET])(f"login failed: {travels_as}!")
    assert "<secret>" in shown
    assert travels_as not in shown
    assert "rd" not in shown


def test_of_a_document_its_tokens_are_hidden_and_its_words_are_not() -> None:
    shown = Masker([KUBECONFIG])(
        "apiVersion: v1 of https://127.0.0.1:6443 with eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9.payload0.signature1"
    )
    assert shown == "apiVersion: v1 of https://127.0.0.1:6443 with <secret>"


def test_very_short_values_are_left_alone() -> None:
    assert Masker(["", "a", "abc"])("abc a") == "abc a"


def test_a_tree_is_masked_in_values_and_keys() -> None:
    assert Masker(["hunter22"]).tree({"hunter22": ["x hunter22", 1, None]}) == {"<secret>": ["x <secret>", 1, None]}
