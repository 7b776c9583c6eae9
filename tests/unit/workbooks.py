"""Made-up workbooks (.xlsx), written by hand: no more than a reader needs."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from xml.sax.saxutils import escape, quoteattr

from dataset_jobs.model.places import Cell

Value = str | int | float | bool | date | None
Rows = Sequence[Sequence[Value]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_STATES = {False: "visible", True: "hidden"}
_STYLES = f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'


def xlsx(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    """A workbook of sheets by name; None leaves a cell out."""
    return raw_xlsx({name: _sheet(rows) for name, rows in sheets.items()}, hidden)


def raw_xlsx(sheets: Mapping[str, str], hidden: Sequence[str] = ()) -> bytes:
    """A workbook whose sheets are given as XML, from <sheetData> on."""
    names = "".join(
        f"<sheet name={quoteattr(name)} sheetId='{n}' r:id='r{n}' state='{_STATES[name in hidden]}'/>"
        for n, name in enumerate(sheets, 1)
    )
    relations = "".join(
        f"<Relationship Id='r{n}' Type='{_RELS}/worksheet' Target='worksheets/sheet{n}.xml'/>"
        for n in range(1, len(sheets) + 1)
    )
    styles = f"<Relationship Id='s' Type='{_RELS}/styles' Target='styles.xml'/>"
    parts = {
        "[Content_Types].xml": f"<Types xmlns='{_PACKAGE}/content-types'>"
        "<Default Extension='xml' ContentType='application/xml'/></Types>",
        "_rels/.rels": f"<Relationships xmlns='{_PACKAGE}/relationships'><Relationship Id='b' "
        f"Type='{_RELS}/officeDocument' Target='xl/workbook.xml'/></Relationships>",
        "xl/workbook.xml": f"<workbook xmlns='{_MAIN}' xmlns:r='{_RELS}'><sheets>{names}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships xmlns='{_PACKAGE}/relationships'>{relations}{styles}"
        "</Relationships>",
        "xl/styles.xml": _STYLES,
    }
    for n, xml in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{n}.xml"] = f"<worksheet xmlns='{_MAIN}'>{xml}</worksheet>"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(path, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return content.getvalue()


def _sheet(rows: Rows) -> str:
    lines = (
        f"<row r='{number}'>{''.join(_cell(value, number, column) for column, value in enumerate(row, 1))}</row>"
        for number, row in enumerate(rows, 1)
    )
    return f"<sheetData>{''.join(lines)}</sheetData>"


def _cell(value: Value, row: int, column: int) -> str:
    at = f"r='{Cell('', row, column).reference}'"
    match value:
        case None:
            return ""
        case bool():
            return f"<c {at} t='b'><v>{int(value)}</v></c>"
        case str():
            return f"<c {at} t='inlineStr'><is><t xml:space='preserve'>{escape(value)}</t></is></c>"
        case date():
            return f"<c {at} s='1'><v>{(value - date(1899, 12, 30)).days}</v></c>"
        case _:
            return f"<c {at}><v>{value}</v></c>"
