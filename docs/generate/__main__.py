"""Writes every document that is made from the code."""

from docs.generate import chart_readme, chart_values, command_line, metrics, openapi, scaling, settings, states
from supply import licences

for document in (chart_readme, chart_values, command_line, metrics, openapi, scaling, settings, states, licences):
    document.PAGE.write_text(document.page(), encoding="utf-8")
