"""Writes every document that is made from the code."""

from docs.generate import chart_readme, chart_values, command_line, metrics, openapi, scaling, settings, states
from supply import licences

DOCUMENTS = (chart_readme, chart_values, command_line, metrics, openapi, scaling, settings, states, licences)

if __name__ == "__main__":
    for document in DOCUMENTS:
        document.PAGE.write_text(document.page(), encoding="utf-8")
