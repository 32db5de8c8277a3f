"""Operations that are stopped, callers and hosts that die: what is saved, what is left, what comes next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aiinfra.engine.host_client import EngineError, Operation
from aiinfra.report.run import Verb
from aiinfra.waiting import Pending, Waiter
from tests.integration.engine.site import LIMIT, DoorResource, Site, chain

pytestmark = pytest.mark.engine


def test_a_cancel_right_behind_its_up_stops_it(site: Site) -> None:
    site.host.ready()
    handle = site.begin(Verb.UP, "one", chain(50, waits=True))
    handle.cancel()
    site.door.open.set()
    stopped = handle.result(LIMIT)
    assert (stopped.code, stopped.interrupted) == ("interrupted", True)
    assert stopped.resources < 50
    assert site.host.locks() == []
    assert site.up("one", chain(3)).error == ""


def test_a_cancel_lets_the_running_step_end_and_saves_it(site: Site) -> None:
    handle = site.begin(Verb.UP, "one", chain(10, waits=True))
    site.wait_for_door()
    handle.cancel()
    site.door.open.set()
    stopped = handle.result(LIMIT)
    assert (stopped.code, stopped.interrupted) == ("interrupted", True)
    assert site.host.pending("one") == []
    again = site.up("one", chain(10, waits=True))
    assert (again.error, again.changes["create"] < 11) == ("", True)


def test_a_terminate_stops_at_once_and_leaves_a_pending_create_that_repair_drops(site: Site) -> None:
    handle = site.begin(Verb.UP, "one", chain(1, waits=True))
    site.wait_for_door()
    handle.cancel()
    handle.terminate()
    assert handle.result(LIMIT).interrupted
    pending = [(one.urn.rpartition("::")[2], one.operation) for one in site.host.pending("one")]
    assert pending == [("door0", "creating")]
    assert site.host.repair("one") == 1
    assert site.host.pending("one") == []
    site.door.open.set()
    assert site.up("one", chain(1)).error == ""


def test_a_cancelled_destroy_goes_on_where_it_stopped(site: Site) -> None:
    site.up("one", chain(4, waits_in_delete=True))
    handle = site.begin(Verb.DESTROY, "one")
    site.wait_for_door()
    handle.cancel()
    site.door.open.set()
    assert handle.result(LIMIT).interrupted
    assert site.destroy("one").error == ""
    assert site.host.export("one")["deployment"].get("resources") is None


def test_a_cancel_does_not_wait_for_ever_for_a_plugin_that_does_not_end_a_deletion(site: Site) -> None:
    site.up("one", chain(2, waits_in_delete=True))
    handle = site.begin(Verb.DESTROY, "one")
    site.wait_for_door()
    handle.cancel()
    assert handle.result(20).interrupted
    said = [one["diagnosticEvent"]["message"] for one in site.events if "diagnosticEvent" in one]
    assert "what is still being deleted is left to itself: the next destroy goes on with it" in said
    assert site.host.locks() == []
    site.door.open.set()
    assert site.destroy("one").error == ""


def test_a_plugin_that_takes_longer_than_the_limit_fails_its_stack(site: Site) -> None:
    site.up("one", chain(1, waits_in_delete=True))
    late = site.host.operate(Operation(Verb.DESTROY, "one", limit=1.5), site.events.append).result(LIMIT)
    assert (late.error, late.code, late.interrupted) == ("Door door0 was not deleted after 2 s", "failed", False)
    assert [one.message for one in late.failed_resources] == [late.error]
    assert site.host.locks() == []
    site.door.open.set()
    done = site.host.operate(Operation(Verb.DESTROY, "one", limit=60), site.events.append).result(LIMIT)
    assert (done.error, done.resources) == ("", 0)


def test_closing_the_host_saves_what_runs(site: Site) -> None:
    handle = site.begin(Verb.UP, "one", chain(5, waits=True))
    site.wait_for_door()
    threading.Timer(0.5, site.door.open.set).start()
    site.host.close()
    assert handle.result(LIMIT).interrupted
    site.start()
    assert (site.host.pending("one"), site.host.locks()) == ([], [])


def test_a_dead_host_fails_every_handle_and_names_its_log(site: Site) -> None:
    handles = [site.begin(Verb.UP, name, chain(1, waits=True)) for name in ("one", "two")]
    site.wait_for_door(2)
    os.kill(site.host.pid, signal.SIGKILL)
    for handle in handles:
        with pytest.raises(EngineError, match=r"the engine host \(pid \d+\) ended by signal 9") as failure:
            handle.result(LIMIT)
        assert failure.value.record.where == str(site.log)
    with pytest.raises(EngineError):
        site.host.stacks()


def test_after_a_dead_host_locks_and_pending_creates_are_shown_and_cleared(site: Site) -> None:
    handle = site.begin(Verb.UP, "one", chain(1, waits=True))
    site.wait_for_door()
    dead = site.host.pid
    os.kill(dead, signal.SIGKILL)
    with pytest.raises(EngineError):
        handle.result(LIMIT)
    site.door.open.set()
    site.start()
    assert [(lock.stack, lock.pid) for lock in site.host.locks()] == [("one", dead)]
    locked = site.up("one", chain(1))
    assert locked.code == "locked"
    assert f"(pid {dead})" in locked.error
    assert site.host.clear_locks("one") == 1
    assert site.host.repair("one") == 1
    assert site.up("one", chain(1)).error == ""


def test_the_terminal_does_not_reach_the_host(site: Site) -> None:
    assert os.getsid(site.host.pid) == site.host.pid


CALLER = """
import sys
from pathlib import Path
from tests.integration.engine import test_stops
test_stops.call_and_die(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def call_and_die(binary: Path, folder: Path) -> None:
    """A caller that is killed while two creates of its own provider run."""
    from aiinfra.engine.programs import ProgramServer
    from aiinfra.providers.contract import ProviderSpec
    from aiinfra.providers.servicer import serve
    from tests.integration.engine.site import Door

    door = Door()
    served = serve([ProviderSpec("engine", "1.0.0", {"engine:test:Door": door})])
    site = Site(binary, folder, served, door, ProgramServer())
    site.up("before", chain(2))
    for name in ("one", "two"):
        site.begin(Verb.UP, name, chain(3, waits=True))
    site.wait_for_door(2)
    (folder / "host.pid").write_text(str(site.host.pid))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_caller_leaves_no_lock_nothing_pending_and_no_host(site: Site) -> None:
    died = subprocess.run([sys.executable, "-c", CALLER, str(site.binary), str(site.folder)], check=False)
    assert died.returncode == -signal.SIGKILL
    host = Path("/proc") / (site.folder / "host.pid").read_text()
    Waiter(LIMIT).until(lambda: Pending("the host to end") if (host / "exe").exists() else True)
    assert (site.host.locks(), site.host.pending("one"), site.host.pending("two")) == ([], [], [])
    assert site.up("one", chain(3)).error == ""
    assert site.up("before", chain(2)).changes == {"same": 3}


def test_an_operation_that_nobody_waits_for_is_no_hindrance(site: Site) -> None:
    def program() -> None:
        DoorResource("door", {})

    site.begin(Verb.UP, "one", program)
    site.programs.register("two", program)
    assert site.host.operate(Operation(Verb.UP, "two", site.programs.address)).result(LIMIT).error == ""
