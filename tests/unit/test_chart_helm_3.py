"""The chart by helm 3, where the other tests have helm 4. A test on a cluster installs it by helm 3, too."""

import re

import pytest
import yaml

from tests.cluster import binaries
from tests.unit import chart

PLACE = ("affirm-worker", str(chart.CHART), "--namespace", "affirm-worker", "--values", "-")
CASES = {"nothing": "", "api": chart.API, "production": chart.PRODUCTION}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_helm_3_renders_what_helm_4_renders(values: str) -> None:
    """But for passwords, which each rendering makes anew."""
    rendered = chart.helm("template", *PLACE, values=values, program=binaries.helm_3())
    assert _by_name(rendered) == _by_name(chart.text(values))


def test_helm_3_lints_what_helm_4_lints() -> None:
    linting = ("lint", str(chart.CHART), "--strict", "--values", "-")
    assert "0 chart(s) failed" in chart.helm(*linting, values=chart.PRODUCTION, program=binaries.helm_3())
    with pytest.raises(chart.Refused, match=r"storage\.s3\.bucket is needed with storage.type s3"):
        chart.helm(*linting, values="database: {existingSecret: mine}", program=binaries.helm_3())


def _by_name(rendered: str) -> dict[tuple[str, str], object]:
    text = re.sub(r"(?m)^( +(?:checksum/|\w*DATABASE_URL:|AWS_\w+:)).*$", r"\1 made anew", rendered)
    objects = [one for one in yaml.safe_load_all(text.replace("checksum/ made", "checksum: made")) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}
