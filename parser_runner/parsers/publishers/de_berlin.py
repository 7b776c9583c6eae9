"""Berlin: given names of children whose births were registered in a district of the city in a year.

https://daten.berlin.de/datensaetze?search=vornamen, and https://github.com/berlinonline/haeufige-vornamen-berlin
One file a district and year. The district stands only in the name of the file or its folder, often as a short form
(`Nkn`, `C.-W.`) or as a word that other cities have too (`mitte.csv`). So the uploader names the region: a district, or
the whole city for a list of all districts. A name that says another one refuses the file.

The year stands in the file's name, some years as days: `_2022-01-01_2022-12-31`. Files of 2012 have it in the name of
their folder only. See `de_registries` for what such a list holds.
"""

from parser_runner.parsers.publishers.de_registries import BERLIN, BERLIN_DISTRICTS, registry_list

PARSERS = [registry_list("de-berlin", BERLIN, districts=BERLIN_DISTRICTS)]
