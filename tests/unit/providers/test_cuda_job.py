"""The Job of a proof and its answer."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.provider.cuda_job import Image, Workload, answer, image_of, job, reference, script


def a_pod(message: str) -> dict[str, Any]:
    ended = {"state": {"terminated": {"exitCode": 0, "message": message}}}
    return {"spec": {"nodeName": "gpu-0"}, "status": {"containerStatuses": [ended]}}


GOOD = {"gpus": 1, "product": "NVIDIA A100-SXM4-40GB", "vector_add": "ok"}


def test_a_good_answer_reads_as_a_sentence() -> None:
    assert str(answer(a_pod(json.dumps(GOOD)))) == (
        "CUDA vector addition on gpu-0 (NVIDIA A100-SXM4-40GB, 1 GPU) gave the expected answer"
    )


def test_a_simulated_answer_says_so_itself() -> None:
    found = answer(a_pod(json.dumps({**GOOD, "simulated": True})))
    assert found is not None
    assert found.simulated
    assert str(found).endswith("gave the expected answer; the run was simulated")


@pytest.mark.parametrize("message", ["", "Test PASSED", "[]", "{}", json.dumps({**GOOD, "vector_add": "wrong"})])
def test_anything_else_is_no_answer(message: str) -> None:
    assert answer(a_pod(message)) is None


def test_a_pod_that_never_ended_gave_no_answer() -> None:
    assert answer({"spec": {}, "status": {}}) is None


def test_the_job_carries_our_marks_and_asks_its_node_for_one_gpu() -> None:
    ref = ObjectRef("batch/v1", "Job", "aiinfra-gpu-proof-proof-gpu-0", "gpu-operator")
    tolerations = [{"key": "dedicated", "operator": "Exists"}]
    workload = Workload({"aiinfra.dev/stack": "gpu-proof"}, Image("cuda:1", [{"name": "ngc"}]), tolerations)
    made = job(ref, workload, "nvidia.com/gpu", "gpu-0", 60)
    pod = made["spec"]["template"]
    assert pod["spec"]["tolerations"] == tolerations
    (term,) = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["gpu-0"]}]}
    assert made["metadata"]["labels"] == pod["metadata"]["labels"] == {"aiinfra.dev/stack": "gpu-proof"}
    assert pod["spec"]["containers"][0]["resources"] == {"limits": {"nvidia.com/gpu": 1}}
    assert pod["spec"]["imagePullSecrets"] == [{"name": "ngc"}]
    assert made["spec"]["activeDeadlineSeconds"] == 60


def test_the_image_is_the_one_that_the_cluster_has_already() -> None:
    spec = {"containers": [{"image": "mirror.example/gpu-operator:v26.7.0"}], "imagePullSecrets": [{"name": "m"}]}
    validator = {"metadata": {"name": "nvidia-operator-validator"}, "spec": {"template": {"spec": spec}}}
    configured = Image("nvcr.io/nvidia/gpu-operator:v26.7.0", [{"name": "m"}, {"name": "ngc"}])
    assert image_of([validator], configured) == Image(
        "mirror.example/gpu-operator:v26.7.0", [{"name": "m"}, {"name": "ngc"}]
    )
    assert image_of([], configured) == configured


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("", "aiinfra-gpu-proof-proof"),
        ("gpu-0", "aiinfra-gpu-proof-proof-gpu-0"),
        ("gpu-0.corp.example", "aiinfra-gpu-proof-proof-gpu-0-corp-example-060b5dd0"),
        (f"ip-{'1' * 60}", f"aiinfra-gpu-proof-proof-ip-{'1' * 21}-6546cd6f"),
    ],
)
def test_the_name_of_a_job_tells_its_node_and_fits_a_label(node: str, name: str) -> None:
    assert reference("gpu-proof", "proof", "gpu-operator", node).name == name


ON_MIG = ("GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5b)", "  MIG 1g.5gb      Device  0: (UUID: MIG-c678)")
RUNS = {
    "a whole GPU": (ON_MIG[:1], "Test PASSED", 0, {"gpus": 1, "product": "NVIDIA A100-SXM4-40GB", "vector_add": "ok"}),
    "a slice, which counts and not its card": (
        ON_MIG,
        "Test PASSED",
        0,
        {"gpus": 1, "product": "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "vector_add": "ok"},
    ),
    "no nvidia-smi in the image": (None, "Test PASSED", 0, {"gpus": 0, "product": "", "vector_add": "ok"}),
    "a wrong sum": (ON_MIG[:1], "Result verification failed at element 3!", 1, None),
    "an end without an answer": (ON_MIG[:1], "done", 0, None),
}


@pytest.mark.parametrize("case", RUNS)
def test_the_pod_says_what_it_found_with_no_more_than_a_shell(case: str, tmp_path: Path) -> None:
    listed, said, code, told = RUNS[case]
    tools, log = tmp_path / "bin", tmp_path / "termination-log"
    tools.mkdir()
    (tools / "vectorAdd").write_text(f"#!/bin/sh\necho '{said}'\nexit {code}\n")
    if listed is not None:
        (tools / "nvidia-smi").write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in listed))
    for tool in tools.iterdir():
        tool.chmod(0o755)
    sh = str(shutil.which("sh"))
    ran = subprocess.run(
        [sh, "-c", script(str(log))], env={"PATH": str(tools)}, check=False, capture_output=True, text=True
    )
    assert (ran.returncode == 0, ran.stderr) == (told is not None, "")
    assert (json.loads(log.read_text()) if log.exists() else None) == told
    assert (said in ran.stdout) == (told is None)
