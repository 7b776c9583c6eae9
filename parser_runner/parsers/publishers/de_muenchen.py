"""Munich: given names of children whose births were registered in the city in a year.

https://opendata.muenchen.de/dataset?q=vornamen
The year stands only in the file's name. The heading of 2015 is `vornamen`. See `de_registries` for what such a list
holds.
"""

from parser_runner.parsers.publishers.de_registries import MUNICH, registry_list

PARSERS = [registry_list("de-muenchen", MUNICH, names=("vorname", "vornamen"))]
