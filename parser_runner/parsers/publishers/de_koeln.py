"""Cologne: given names of children whose births were registered in the city in a year.

https://www.offenedaten-koeln.de/dataset/vornamen
The year stands only in the file's name. See `de_registries` for what such a list holds.
"""

from parser_runner.parsers.publishers.de_registries import COLOGNE, registry_list

PARSERS = [registry_list("de-koeln", COLOGNE)]
