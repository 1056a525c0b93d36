"""What is kept of the results of the process that read a model."""

import pytest

from convert import results
from edge.errors import ConvertError


def test_a_report_is_kept_up_to_its_limit() -> None:
    fits = b"{}".ljust(results.MAX_REPORT_BYTES)
    results.check_report("report.json", fits)
    with pytest.raises(ConvertError, match=r"^report\.json: is not what edge-convert writes"):
        results.check_report("report.json", fits + b" ")


def test_every_element_of_the_page_is_known() -> None:
    page = results.HEAD + "".join(f"<{name}>x &lt;script&gt;</{name}>" for name in results.ELEMENTS.split())
    results.check_report("report.html", page.encode())
    for more in ("<script>", "</script\n>", "<a href=x>", "<svgx>", "<g:script>", "<!--", "<?xml?>", "< p"):
        with pytest.raises(ConvertError):
            results.check_report("report.html", f"{page}{more}".encode())
