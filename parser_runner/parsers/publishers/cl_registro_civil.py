"""Chile, Servicio de Registro Civil e Identificación: names of the children registered in a year, a file a sex.

https://estadisticas.sed.srcei.cl/nomrank
All names, of one child too. Year and sex stand only in the file's name. The two headings are anybody's in Spanish, so
content alone does not prove this publisher: the file's name must say Registro Civil or SRCeI, or the uploader the
format.
"""

import re

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="cl-registro-civil",
        description="lines of Nombre,Total (females2019.csv)",
        columns=Columns(name=("nombre",), count=("total",)),
        charset="cp1252",
        named_year=True,
        named_sex=True,
        shared=True,
        named=re.compile("registro[ _-]?civil|srcei", re.IGNORECASE),
    )
]
