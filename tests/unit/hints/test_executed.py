"""Every text that tells a user to run `aiinfra …` has a test that comes into its situation and runs what it says.

A new text fails here until its test is named; the test runs the printed command, by `follow` or literally.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from aiinfra.cli.commands import COMMANDS
from tests.unit.hints.sources import ARGUMENTS_OF_OTHERS, ROOT, Text, commands, options, texts

SPINE = "tests/integration/spine/"
HERE = "tests/unit/cli/test_hints.py::"
HINTS = SPINE + "test_hints.py::"
WITHOUT_LAB = HINTS + "test_what_a_run_tells_one_to_run_helps"
FORGET = SPINE + "test_forgetting.py::"
MIG = SPINE + "test_vsphere_bad_input.py::test_a_mig_profile_while_mig_is_off_says_how_it_is_switched_on"
ID = SPINE + "test_lab.py::test_a_destroy_without_its_notes_names_what_is_left_and_takes_the_id"
PLATFORM = SPINE + "test_lab.py::test_a_platform_comes_up_is_proved_and_goes_without_a_trace"
OFFLINE = "tests/unit/toolchain/test_cli.py::test_a_missing_program_is_had_as_its_hint_says"
ORDER = "tests/unit/toolchain/test_order.py::"
VERIFY = "tests/unit/toolchain/test_verify.py::"
CHARTS = "tests/integration/charts/test_judged_charts.py::"
OFFICIAL = "takes the official sources of charts"
ARCHIVES = "takes the archives of the vendor's plugins"

EXECUTED = {
    # cli
    "aiinfra preview FILLED shows what would change": WITHOUT_LAB,
    "aiinfra status FILLED shows what is up": WITHOUT_LAB,
    "FILLED, then add --yes": WITHOUT_LAB,
    "see FILLED --help": HERE + "test_a_wrong_command_line_leads_to_its_help",
    "take --events ndjson alone: its last line is the result": WITHOUT_LAB,
    "wrote FILLED; next: aiinfra plan FILLED, then aiinfra up FILLED": HERE + "test_init_leads_on_to_a_file_that_plans",
    "start it with aiinfra up FILLED": PLATFORM,
    "wait for it, stop it with Ctrl-C, or add --force: it fails then": SPINE
    + "test_lab_left.py::test_a_lab_is_not_stopped_under_a_run_unless_that_is_wanted",
    "aiinfra toolchain mirror FILLED makes one": OFFLINE,
    "aiinfra init writes a first one": HERE + "test_where_no_file_is_init_writes_one",
    'write --set stacks.nfd.version=0.19.0; a key with other signs is ["key"]': HERE
    + "test_the_form_of_set_that_is_shown_works",
    "lab of FILLED: dead, as FILLED; aiinfra up FILLED discards it, with its state in FILLED": SPINE
    + "test_lab.py::test_a_lab_that_was_killed_is_discarded_and_made_anew",
    # clusters
    "leave out --forget FILLED: then what stands there is taken down": FORGET
    + "test_a_cluster_that_answers_is_not_forgotten",
    "FILLED; if it is gone for good: aiinfra destroy FILLED --forget FILLED": FORGET
    + "test_the_usual_destroy_names_the_way_out",
    "if they are this environment's: aiinfra destroy FILLED --environment-id FILLED": ID,
    "aiinfra destroy FILLED --environment-id FILLED": FORGET
    + "test_what_stood_in_a_cluster_that_is_gone_is_forgotten_aloud",
    "remove it yourself, or add --with-dependents to let it go along": SPINE
    + "test_faults.py::test_a_destroy_stops_for_what_others_lose_and_leaves_out_a_hook_that_cannot_run",
    # vCenters
    "aiinfra up ENV --refresh repairs a template that was changed by hand": SPINE
    + "test_vsphere.py::test_hand_edits_show_field_by_field_and_up_puts_them_back",
    "aiinfra doctor ENV shows what each host has free": MIG,
    "install the vGPU manager of the guest driver's branch on the host: aiinfra doctor ENV shows both": MIG,
    "reboot the host if passthrough was just switched on; aiinfra doctor ENV shows the state of each card": SPINE
    + "test_vsphere_hosts.py::test_passthrough_and_labels_are_set_where_that_is_allowed_and_shown_before",
    "name a profile that the hosts list: aiinfra doctor ENV shows which can be started now": MIG,
    "aiinfra doctor ENV shows whether the vGPU manager fits; else vmware.log of the VM says why": MIG,
    "free a card, or use the profile that runs there: aiinfra doctor ENV shows what each card can start": MIG,
    "free a card: aiinfra doctor ENV shows who uses them": MIG,
    "aiinfra doctor ENV shows each host": MIG,
    "free a card, or name a profile that can be started: aiinfra doctor ENV lists them": MIG,
    "switch MIG on in the host's shell: aiinfra doctor ENV shows how": MIG,
    # state and runs
    "give this environment another name; --moved if it is the same one, whose file was moved and rewritten": SPINE
    + "test_same_name.py::test_a_second_file_is_refused_until_it_is_said_to_be_the_same",
    "nothing: aiinfra up FILLED starts it": PLATFORM,
    "see aiinfra lab faults": HERE + "test_a_fault_that_cannot_strike_leads_to_the_list_of_faults",
    "bring it up first: aiinfra up FILLED --until FILLED": WITHOUT_LAB,
    "aiinfra destroy FILLED --only FILLED": SPINE
    + "test_runs.py::test_stacks_that_the_file_no_longer_has_are_told_and_go_in_their_order",
    "FILLED: FILLED from its preflight, none blocking; see aiinfra doctor FILLED": SPINE
    + "test_vsphere_hosts.py::test_passthrough_and_labels_are_set_where_that_is_allowed_and_shown_before",
    "the world differs; aiinfra up FILLED repairs it": SPINE
    + "test_vsphere.py::test_hand_edits_show_field_by_field_and_up_puts_them_back",
    "aiinfra up FILLED puts it right": SPINE + "test_gpu_proof.py::test_a_proof_is_of_the_nodes_as_they_are_now",
    "aiinfra up FILLED goes on from here": HINTS + "test_status_and_why_tell_what_helps",
    "aiinfra destroy FILLED goes on, aiinfra up FILLED brings it back": HINTS + "test_status_and_why_tell_what_helps",
    "FILLED failed FILLED: aiinfra why FILLED FILLED": HINTS + "test_status_and_why_tell_what_helps",
    "aiinfra up FILLED": HINTS + "test_status_and_why_tell_what_helps",
    "aiinfra destroy FILLED, or FILLED": HINTS + "test_status_and_why_tell_what_helps",
    "wait until that run has ended: aiinfra status FILLED": HINTS + "test_status_and_why_tell_what_helps",
    "aiinfra why FILLED FILLED": HINTS + "test_status_and_why_tell_what_helps",
    # programs
    "aiinfra toolchain install": ORDER + "test_what_is_nowhere_is_built_and_then_found_in_the_cache",
    "run `aiinfra toolchain mirror DIR` on a connected machine and name it here with --toolchain DIR": OFFLINE,
    "`aiinfra toolchain install` installs them": VERIFY + "test_nothing_to_verify_is_a_failure",
    "remove the folder that holds it, then `aiinfra toolchain install`": VERIFY + "test_a_changed_program_is_named",
    "it is named by --toolchain or FILLED; aiinfra toolchain mirror FILLED makes it": ORDER
    + "test_a_named_folder_must_exist",
    "on a connected machine, aiinfra toolchain mirror FILLED makes it anew": ORDER
    + "test_a_mirror_of_another_version_is_refused",
    "aiinfra toolchain verify says what is wrong with it": VERIFY + "test_a_program_that_fails_is_named",
    "aiinfra toolchain install FILLED builds it": ORDER + "test_what_is_nowhere_is_built_and_then_found_in_the_cache",
    # charts
    "A Helm release. `render --charts` also writes what its chart makes.": CHARTS
    + "test_render_writes_what_the_chart_makes",
}
"""By text, the test."""
FORM_ONLY = {
    "aiinfra toolchain exec -- go -C FILLED mod download FILLED": "takes a Go module cache that lost a module",
    "aiinfra toolchain install FILLED": ARCHIVES,
    "FILLED; without network: FILLED --from FOLDER, where FILLED lies": ARCHIVES,
    "name a folder with --from that holds the vendor's archives: aiinfra toolchain mirror DIR ENV makes one": ARCHIVES,
    "--from FOLDER or --from URL names another place that holds the vendor's archives": ARCHIVES,
    "on a connected machine, aiinfra charts mirror ENV FILLED fetches it": OFFICIAL,
    "leave out --only, or add --forget FILLED if it is gone as well": "takes two clusters that are gone at once",
    "aiinfra toolchain install FILLED brings it where the target is real; else rehearse without it": ARCHIVES,
    "leave out --toolchain and AIINFRA_TOOLCHAIN; aiinfra toolchain install then brings one that fits": "takes a "
    "program of another version of aiinfra",
    "aiinfra destroy ENV, or aiinfra lab stop ENV if nothing in it matters; then run again": "takes a lab that a "
    "changed description no longer fits",
    "the world differs, and aiinfra up FILLED does not bring all of it back": "says what does not help",
}
"""Texts whose commands are checked for their form alone (test_commands.py), and why."""
NO_HINTS = (
    "aiinfra/cli/examples.py",
    "aiinfra/config/starter.py",
    "aiinfra/error_codes.py",
    "aiinfra/ui/rehearsal_summary.py",
    "aiinfra/ui/schemas.py",
)
"""Files that name commands and options as examples, headings or explanations (examples: tests/unit/cli/test_app.py)."""
EXPLANATIONS = frozenset({
    "--output json and --events ndjson both want standard output",
    "FILLED: not on this machine, and --offline forbids to fetch or build",
    "the Pulumi plugin FILLED: not on this machine, and --offline forbids to fetch",
    "One of `aiinfra lab faults`.",
    "Replace a value of the file: --set stacks.nfd.version=0.19.0. May be given again.",
    "--only, --from, --until",
    "destroy takes --only, not --from or --until",
    "--fault FILLED",
    "--only FILLED",
    "--summary FILLED",
    "give another --out",
})  # fmt: skip
"""Texts that name an option and tell nobody to run anything."""


def advice() -> Iterator[Text]:
    """Texts that name a command of aiinfra, or an option beside other words."""
    for text in texts():
        if text.file.startswith(NO_HINTS) or text.text in EXPLANATIONS or "nvidia-smi" in text.text:
            continue
        named = () if text.file.startswith(ARGUMENTS_OF_OTHERS) else options(text.text)
        if any(command[0] in COMMANDS for command in commands(text.text)) or set(named) - {text.text.strip()}:
            yield text


def test_every_advice_has_a_test_that_follows_it() -> None:
    assert sorted({str(text) for text in advice() if text.text not in {**EXECUTED, **FORM_ONLY}}) == []


def test_every_entry_is_still_a_text_of_the_sources() -> None:
    assert sorted({*EXECUTED, *FORM_ONLY} - {text.text for text in advice()}) == []
    assert sorted(EXPLANATIONS - {text.text for text in texts()}) == []


def test_every_test_that_is_named_exists() -> None:
    assert sorted({test for test in EXECUTED.values() if not _exists(test)}) == []


def _exists(test: str) -> bool:
    file, _, name = test.partition("::")
    return name in _functions(file)


@cache
def _functions(file: str) -> frozenset[str]:
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
