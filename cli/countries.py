"""The countries of ISO 3166-1, with which `migrate` fills the table of that name."""


def iso_countries() -> list[tuple[str, str]]:
    """Alpha-2 code and name of every country, in order of code."""
    import pycountry

    return sorted((country.alpha_2, getattr(country, "common_name", country.name)) for country in pycountry.countries)
