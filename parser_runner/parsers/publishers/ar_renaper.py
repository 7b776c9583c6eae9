"""Argentina, Registro Nacional de las Personas: names without a sex. Refused.

https://www.datos.gob.ar/dataset/otros-nombres-personas-fisicas
https://www.datos.gob.ar/dataset/renaper-nombres-propios-argentina
Neither list says the sex of the children: 1922 to 2015 has nombre,cantidad,anio, 2012 to 2024 the province too. Every
row of the table `names` has a sex, and both sexes stand in one list, so the uploader cannot supply it.
"""

from typing import NoReturn

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, TextTable, find_header

_COLUMNS = Columns(
    name=("nombre",), count=("cantidad",), year=("anio", "año"), other=("provincia_id", "nombre_provincia")
)


class WithoutSex:
    """Recognised to say why it cannot be loaded."""

    name = "ar-renaper"
    description = "lines of nombre,cantidad,anio (historico-nombres.csv), which are refused: they have no sex"
    refused = True

    def recognise(self, source: Source) -> Header | None:
        for table in TextTable.each(source, "cp1252"):
            if header := find_header(table, _COLUMNS):
                return header
        return None

    def parse(self, source: Source, match: Header) -> NoReturn:
        """Refuses the file.

        Raises:
            Rejected: always.
        """
        message = (
            "this list has names, counts and years, but no sex, and every row needs one: lists of this publisher "
            "(nombre,cantidad,anio) cannot be loaded, not even with the sex as a hint: both sexes stand in one list"
        )
        raise source.rejected(Reason.INVALID_FORMAT, message, match.record)


PARSERS = [WithoutSex()]
