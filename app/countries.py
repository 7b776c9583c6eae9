"""The countries of ISO 3166-1, with which `migrate` fills the table of that name."""


def iso_countries() -> list[tuple[str, str]]:
    """Alpha-2 code and name of every country, in order of code."""
    import pycountry  # only here: few commands need it, and it takes 40 ms

    return sorted((country.alpha_2, getattr(country, "common_name", country.name)) for country in pycountry.countries)
