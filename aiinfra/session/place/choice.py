"""Which place a verb needs: the real one, or a lab that is started, found, or assumed for a preview."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.dataclass import dataclass
from aiinfra.disk import folder_errors
from aiinfra.domain_lab import VariesByPlan
from aiinfra.plan.planner import Plan
from aiinfra.session.hints import hints_of
from aiinfra.session.options import Tools
from aiinfra.session.place.place import Place
from aiinfra.session.place.real import real_place
from aiinfra.stack import SecretSource
from aiinfra.world import World

if TYPE_CHECKING:
    from aiinfra.toolchain import Toolchain
    from aiinfra.toolchain.plugins import Plugins


@dataclass(frozen=True, slots=True)
class Places:
    """Provides the place of an environment."""

    world: World
    plan: Plan
    path: Path
    """The path of the environment file."""
    tools: Tools
    say: Callable[[str], None]
    secret: Callable[[SecretSource], str] | None = None
    """Opens secret sources in a rehearsal; with None the real ones are read."""
    folder: Path | None = None
    """The lab's folder; None for the one that belongs to the environment file."""

    @property
    def toolchain(self) -> Toolchain:
        from aiinfra.toolchain import Toolchain

        return Toolchain(self.world, self.tools.directory, self.tools.offline)

    @property
    def plugins(self) -> Plugins:
        from aiinfra.toolchain.plugins import Plugins

        return Plugins(self.world, self.toolchain.directory)

    def engine_binary(self) -> Path:
        return self.toolchain.ensure(["aiinfra-engine"], self.say)["aiinfra-engine"]

    @property
    def in_lab(self) -> bool:
        return self.plan.environment.target == "lab"

    def lab_folder(self) -> Path:
        from aiinfra.lab.folders import lab_folder

        return self.folder or lab_folder(self.world, self.plan.environment.name, self.path)

    @property
    def lab_tools(self) -> Sequence[str]:
        """The programs that this environment's lab needs; none on a real target."""
        if not self.in_lab:
            return ()
        from aiinfra.lab.domains import lab_domains_of

        domains = lab_domains_of(self.plan).values()
        asked = [domain.tools_of(self.plan) if isinstance(domain, VariesByPlan) else domain.tools for domain in domains]
        return [name for names in asked for name in names]

    def start(self) -> Place:
        """Return the place to act in; a lab is started when it does not run."""
        if not self.in_lab:
            return self._real()
        from aiinfra.lab.domains import lab_domains_of
        from aiinfra.lab.folders import check_path
        from aiinfra.lab.lab import Lab
        from aiinfra.session.place.lab import place_of

        folder = self.lab_folder()
        check_path(folder)
        with folder_errors("the folder for labs", folder.parent):
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lab = Lab.find(folder)
        asked = {name: domain.spec(self.plan) for name, domain in lab_domains_of(self.plan).items()}
        wanted = {name: tree for name, tree in asked.items() if tree is not None}
        if lab is None or not lab.alive or not lab.provides(wanted):
            binaries = self.toolchain.ensure((*self.lab_tools, "aiinfra-engine"), self.say)
            with hints_of(self.plan.environment.name):
                lab = Lab.open(folder, wanted, binaries, self.say)
        return place_of(lab, self.plan, self.secret, self.tools.official, self.world.environ)

    def find(self) -> Place | None:
        """Return the existing place; None when there is no lab. A dead lab is discarded."""
        if self.in_lab:
            from aiinfra.lab.lab import Lab

            lab = Lab.find(self.lab_folder())
            if lab is None:
                Lab.discard_remains(self.lab_folder(), self.say)
            elif not lab.alive:
                lab.discard(self.say)
        return self.peek()

    def peek(self) -> Place | None:
        """Return the existing place without changing anything: a dead lab counts as none."""
        if not self.in_lab:
            return self._real()
        from aiinfra.lab.lab import Lab
        from aiinfra.session.place.lab import place_of

        lab = Lab.find(self.lab_folder())
        if lab is None or not lab.alive:
            return None
        return place_of(lab, self.plan, self.secret, self.tools.official, self.world.environ)

    @contextmanager
    def preview_place(self) -> Iterator[Place]:
        """Provide the place for a preview: the existing one, or a temporary folder for a lab that does not run."""
        place = self.peek()
        if place is not None:
            yield place
            return
        from aiinfra.session.place.lab import ghost_place

        with _scratch() as folder:
            yield ghost_place(folder, self.plan)

    def _real(self) -> Place:
        return real_place(self.world, self.plan.environment.name, self.plan.environment.state, self.path.parent)


@contextmanager
def _scratch() -> Iterator[Path]:
    with folder_errors("the folder for temporary files", Path(), "TMPDIR"):
        folder = tempfile.TemporaryDirectory(prefix="aiinfra-preview-")
    with folder as path:
        yield Path(path)
