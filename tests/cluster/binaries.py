"""The programs that a test cluster is made of and worked with, each pinned and kept in the cache."""

from pathlib import Path

from tests.cluster import gobuild, kubectl_layer

KUBERNETES_VERSION = "1.34.4"
ETCD_VERSION = "3.6.16"
KWOK_VERSION = "0.8.0"
KARPENTER_VERSION = "1.14.1"
VERSITYGW_VERSION = "1.8.0"
PAUSE_VERSION = "1"

_KUBERNETES_COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)


def kubernetes() -> Path:
    """The folder with kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kube-proxy."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    package = "k8s.io/component-base/version"
    version = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor}
    ldflags = " ".join(f"-X {package}.{name}={value}" for name, value in version.items())
    commands = [f"k8s.io/kubernetes/cmd/{command}" for command in _KUBERNETES_COMMANDS]
    return gobuild.build("kubernetes", KUBERNETES_VERSION, commands, ldflags)


def etcd() -> Path:
    """etcd, as new as Kubernetes wants it: an older one cannot say how far a watch has come."""
    return gobuild.build("etcd", ETCD_VERSION, ["go.etcd.io/etcd/server/v3"]) / "server"


def kwok() -> Path:
    """kwok, which plays nodes and pods that cost nothing."""
    version = f"-X sigs.k8s.io/kwok/pkg/consts.Version=v{KWOK_VERSION}"
    return gobuild.build("kwok", KWOK_VERSION, ["sigs.k8s.io/kwok/cmd/kwok"], version) / "kwok"


def karpenter() -> Path:
    """The folder with Karpenter for kwok's nodes, called kwok too, and in `crds` its kinds of objects."""
    module = "sigs.k8s.io/karpenter"
    crds = {"crds": (module, ("pkg/apis/crds/*.yaml", "kwok/apis/crds/*.yaml"))}
    return gobuild.build("karpenter", KARPENTER_VERSION, [f"{module}/kwok"], kept=crds)


def versitygw() -> Path:
    """versitygw, a real S3 server over a directory."""
    command = "github.com/versity/versitygw/cmd/versitygw"
    return gobuild.build("versitygw", VERSITYGW_VERSION, [command]) / "versitygw"


def pause() -> Path:
    """The program that holds a pod's namespaces: it sleeps until a signal stops it."""
    return gobuild.build("pause", PAUSE_VERSION, ["."]) / "pause"


def kubectl() -> Path:
    """kubectl, of the same minor version as the cluster; the machine's own may be anything."""
    return kubectl_layer.unpacked() / "kubectl"


def helm() -> Path:
    """helm 4."""
    return kubectl_layer.unpacked() / "helm"


def helm_3() -> Path:
    """helm 3, which many still have."""
    return kubectl_layer.older() / "helm"
