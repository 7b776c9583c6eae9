"""Text files of publishers: the rows of each, in the years and shapes that are not shipped too."""

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.hints import Action
from tests.unit.parsing import opened, refusal, reported, rows, zipped
from tests.unit.sample_contents import (
    BC,
    DEPARTMENTS,
    INSEE,
    NORWAY,
    NORWAY_BY_YEAR,
    NSW,
    ONTARIO,
    PARIS,
    PX,
    SA,
    SA_NAME,
    SCOTLAND,
)
from tests.unit.workbooks import xlsx


def test_insee_leaves_out_rare_names_and_records_without_a_year_and_counts_them() -> None:
    content = INSEE + "1;_PRENOMS_RARES;1900;1250\r\n2;ZYNEB;XXXX;19\r\n2;ZYNEB;XXXX;1\r\n"
    found = reported(content, "nat2020.csv", "FR")
    assert rows(content, "nat2020.csv", "FR") == [(1900, "M", "JEAN", 14000), (1901, "F", "ÉLISE", 5)]
    assert found.left_out == {
        "aggregates of rare names (_PRENOMS_RARES)": 1,
        "records without a year (XXXX)": 2,
    }


def test_insee_may_come_as_the_archive_that_it_publishes() -> None:
    assert rows(zipped({"nat2021.csv": INSEE}), "nat2021_csv.zip", "FR") == rows(INSEE, "nat2021.csv", "FR")


@pytest.mark.parametrize("headings", ["sexe;prenom;periode;valeur", "sexe;prenom;periode;valeur;rang"])
def test_insee_has_had_other_headings_and_the_rank_since_2025(headings: str) -> None:
    rank = ";1" if headings.endswith("rang") else ""
    blank = ";" if rank else ""
    content = f"{headings}\r\n1;JEAN;2025;100{rank}\r\n2;_PRENOMS_RARES;2025;1200{blank}\r\n2;ÉLISE;XXXX;20{blank}\r\n"
    assert rows(content, "prenoms-2025-nat.csv", "FR") == [(2025, "M", "JEAN", 100)]
    assert sum(reported(content, "prenoms-2025-nat.csv", "FR").left_out.values()) == 2


TWO_DEPARTMENTS = (
    "sexe;preusuel;annais;dpt;nombre\r\n1;JEAN;1967;75;9000\r\n1;JEAN;1968;75;140\r\n1;JEAN;1968;69;30\r\n"
    "1;JEAN;1968;20;7\r\n1;JEAN;1968;974;6\r\n1;JEAN;XXXX;XX;5\r\n2;_PRENOMS_RARES;1968;69;900\r\n"
)


def test_insee_by_department_is_of_the_one_that_the_uploader_names() -> None:
    """The departments' sum is not the figure of the country."""
    error = refusal(TWO_DEPARTMENTS, "dpt2021.csv", "FR")
    assert error.reason is Reason.SEVERAL_REGIONS
    assert [(hint.action, hint.country) for hint in error.hints] == [(Action.SUBMIT_SPLIT, "FR")]
    assert "their sum is not the figure of the country" in str(error)
    for region, count in [("FR-75C", 140), ("FR-69", 30), ("FR-20R", 7), ("FR-974", 6)]:
        found = opened(TWO_DEPARTMENTS, "dpt2021.csv", "FR", hints=FileHints(region=region))
        assert (found.parser, found.region, found.measure) == ("fr-insee-departments", region, "births")
        assert [row[:4] for row in found.rows] == [(1968, "M", "JEAN", count)]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_departments_may_be_saved_with_another_separator(delimiter: str) -> None:
    content = TWO_DEPARTMENTS.replace(";", delimiter)
    assert rows(content, "dpt.csv", "FR", hints=FileHints(region="FR-69")) == [(1968, "M", "JEAN", 30)]


def test_births_in_the_former_seine_are_not_those_of_paris() -> None:
    assert reported(TWO_DEPARTMENTS, "dpt2021.csv", "FR", FileHints(region="FR-75C")).left_out == {
        "records of other departments": 5,
        "births before 1968 in the former departments Seine (75) and Seine-et-Oise (78)": 1,
    }
    assert reported(TWO_DEPARTMENTS, "dpt2021.csv", "FR", FileHints(region="FR-69")).left_out == {
        "records of other departments": 5,
        "aggregates of rare names (_PRENOMS_RARES)": 1,
    }


def test_insee_of_one_department_says_which_one_it_is() -> None:
    found = opened(DEPARTMENTS, "dpt.csv", "FR")
    assert (found.region, [row[:4] for row in found.rows]) == (
        "FR-75C",
        [(1968, "M", "JEAN", 140), (2021, "F", "ÉLISE", 5)],
    )
    archive = zipped({"dpt_2000_2021.csv": DEPARTMENTS})
    assert rows(archive, "dpt_2000_2021_csv.zip", "FR") == rows(DEPARTMENTS, "dpt.csv", "FR")


def test_an_archive_with_a_file_for_each_department_is_read_by_region() -> None:
    archive = zipped({"75.csv": DEPARTMENTS, "69.csv": DEPARTMENTS.replace(";75;", ";69;").replace("140", "30")})
    assert rows(archive, "dpt.zip", "FR", hints=FileHints(region="FR-69"))[0] == (1968, "M", "JEAN", 30)
    assert rows(archive, "dpt.zip", "FR", hints=FileHints(region="FR-75C"))[0] == (1968, "M", "JEAN", 140)
    assert "differ in their region" in str(refusal(archive, "dpt.zip", "FR"))
    assert "no rows" in str(refusal(archive, "dpt.zip", "FR", hints=FileHints(region="FR-01")))


def test_a_department_that_is_not_there_or_unknown_is_refused() -> None:
    error = refusal(TWO_DEPARTMENTS, "dpt2021.csv", "FR", hints=FileHints(region="FR-01"))
    assert "expected records of department 01" in str(error)
    error = refusal(TWO_DEPARTMENTS, "dpt2021.csv", "FR", hints=FileHints(region="FR-75"))
    assert "this format has no region FR-75" in str(error)
    error = refusal(DEPARTMENTS + "1;JEAN;1970;7x;5\r\n", "dpt2021.csv", "FR", hints=FileHints(region="FR-75C"))
    assert str(error) == "dpt2021.csv, line 4: expected a department, such as 01, 2A or 971"
    assert refusal(INSEE, "nat.csv", "FR", hints=FileHints(region="FR-69")).reason is Reason.CONTRADICTORY


def test_of_the_two_counts_of_paris_that_of_the_sex_is_loaded() -> None:
    assert rows(PARIS, "liste_des_prenoms.csv", "FR") == [(2012, "F", "Alix", 77), (2012, "M", "Alix", 7)]
    assert opened(PARIS, "any.csv", "FR").region == "FR-75C"


def test_ontario_says_the_sex_in_its_title() -> None:
    """The file's name must not say another."""
    assert rows(ONTARIO, "names.csv", "CA") == [(1913, "F", "MARGARET", 6)]
    assert rows("\ufeff" + ONTARIO, "ontario_top_baby_names_female_1917-2019_en_fr.csv", "CA")
    error = refusal(ONTARIO, "ontario_top_baby_names_male_1917-2022_en_fr.csv", "CA")
    assert error.reason is Reason.CONTRADICTORY
    assert "the file's content says girls, but the file's name says boys" in str(error)
    assert refusal(ONTARIO, "names.csv", "CA", sex="M").reason is Reason.CONTRADICTORY


def test_norway_has_the_sex_only_in_the_files_name() -> None:
    """And no figure for most years."""
    content = NORWAY.encode("latin-1")
    expected = [(1945, "F", "Aagot", 7), (1947, "F", "Åse", 12)]
    assert rows(content, "females.csv", "NO") == expected
    assert rows(content, "10467_20230101.csv", "NO", sex="F") == expected
    error = refusal(content, "10467_20230101.csv", "NO")
    assert error.reason is Reason.INVALID_FILENAME
    assert "the sex stands only in the file's name" in str(error)
    assert reported(content, "females.csv", "NO").left_out == {"years without a figure (. and ..)": 2}
    assert refusal(content, "females.csv", "NO", sex="M").reason is Reason.CONTRADICTORY


def test_norways_export_may_have_a_column_a_year() -> None:
    expected = [(1945, "F", "Aagot", 7), (1946, "F", "Åse", 12)]
    assert rows(NORWAY_BY_YEAR.encode("latin-1"), "females.csv", "NO") == expected
    turned = NORWAY_BY_YEAR.replace("first name", "fornavn").replace("Born persons 19", "Fødte 19").replace(";", "\t")
    assert rows(turned, "10467.csv", "NO", sex="F") == expected
    assert rows(NORWAY_BY_YEAR.replace("Born persons 19", "19"), "girls.csv", "NO") == expected
    assert reported(NORWAY_BY_YEAR, "females.csv", "NO").left_out == {"years without a figure (. and ..)": 2}
    assert refusal(NORWAY_BY_YEAR, "10467.csv", "NO").reason is Reason.INVALID_FILENAME
    for old, new in (("10467", "10468"), ("Born persons 1945", "Per cent 1945"), ("persons 1946", "persons 1945")):
        assert "no known format of NO" in str(refusal(NORWAY_BY_YEAR.replace(old, new), "females.csv", "NO"))


def test_british_columbia_writes_0_for_fewer_than_five() -> None:
    found = reported(BC, "bc-popular-girls-names.csv", "CA")
    assert rows(BC, "bc-popular-girls-names.csv", "CA") == [(1916, "F", "AALIYAH", 7), (1915, "F", "ZOÀ", 5)]
    assert found.left_out == {"suppressed counts (0: fewer than 5)": 2}
    assert refusal(BC, "bc.csv", "CA").reason is Reason.INVALID_FILENAME


def test_new_south_wales_lists_the_first_hundred() -> None:
    assert rows(NSW, "nsw.csv", "AU") == [(2024, "M", "Noah", 496), (2024, "F", "Isla", 400)]
    parsed = opened(NSW, "nsw.csv", "AU")
    assert (parsed.region, parsed.top) == ("AU-NSW", 100)


QUEENSLAND = "Name,Sex,Year,Count\r\nMia,Female,1960,51\r\n"
_RUBY: list[list[str | int]] = [["Year", "Name", "Number"], [2011, "ruby ", 80]]
TASMANIA = xlsx({"Female": _RUBY, "Male": _RUBY})
SA_NUMBER = "Given Name,Number,Position\r\nMIA,51,1\r\n"
VICTORIA = xlsx(
    {"Sheet1": [["Male", None, "Female"], ["Name", "Count", "Name", "Count", "Rank"], ["Leo", 7, "Mia", 6, 1]]}
)
SCOTLAND_SINCE_1974 = "Year,Sex,Name,Number,Rank\r\n2024,Boy,Jack,5,1\r\n2024,Girl,Isla,7,1\r\n"
SHARED = [
    (NSW, "popular_baby_names_1952_to_2025.csv", "names-2024.csv", "AU", "au-nsw", "AU-NSW"),
    (QUEENSLAND, "20180718_BDM_Top-100-Baby-Names-1960-to-2005.csv", "wa-lists.csv", "AU", "au-qld-years", "AU-QLD"),
    (TASMANIA, "tasmaniantopbabynames20102015.xlsx", "names.xlsx", "AU", "au-tas-years", "AU-TAS"),
    (SA_NUMBER, "femalecy2016top.csv", "female-2016.csv", "AU", "au-sa-number", "AU-SA"),
    (VICTORIA, "Top-100-Baby-Names-Victoria-2020.xlsx", "names-2020.xlsx", "AU", "au-vic-by-sex", "AU-VIC"),
    (SCOTLAND_SINCE_1974, "full-list-1974-2025.csv", "names.csv", "GB", "gb-nrs-since-1974", "GB-SCT"),
]


@pytest.mark.parametrize(("content", "named", "renamed", "country", "name", "region"), SHARED)
def test_headings_that_anybody_may_write_prove_nothing(
    content: str | bytes, named: str, renamed: str, country: str, name: str, region: str
) -> None:
    """The publisher's word in the file's name does, or the uploader's word."""
    expected = rows(content, named, country)
    assert expected
    assert (opened(content, named, country).parser, opened(content, named, country).region) == (name, region)
    error = refusal(content, renamed, country)
    assert error.reason is Reason.UNDECIDED
    assert name in str(error)
    assert region in str(error)
    assert rows(content, renamed, country, hints=FileHints(region=region)) == expected
    assert rows(content, renamed, country, hints=FileHints(format=name)) == expected
    assert refusal(content, renamed, country, hints=FileHints(region="AU-WA")).reason is Reason.UNDECIDED


@pytest.mark.parametrize("name", ["manswers.csv", "squld.csv", "popular_baby_names.csv", "top-100-baby-names.csv"])
def test_a_publishers_word_inside_another_word_is_not_its_word(name: str) -> None:
    assert refusal(NSW, name, "AU").reason is Reason.UNDECIDED
    assert refusal(QUEENSLAND, name, "AU").reason is Reason.UNDECIDED


def test_scotland_says_sex_and_year_above_the_list_and_notes_are_no_names() -> None:
    content = SCOTLAND.encode("cp1252")
    assert rows(content, "babies-first-names-19-full-list_Boys.csv", "GB") == [
        (2019, "M", "Jack", 354),
        (2019, "M", "Rory", 12),
    ]
    assert refusal(content, "full-list-2020_Boys.csv", "GB").reason is Reason.CONTRADICTORY
    assert refusal(content, "full-list_Girls.csv", "GB").reason is Reason.CONTRADICTORY


def test_scotland_has_all_years_in_one_list_too() -> None:
    content = "yr,sex,FirstForename,number,rank,position\n1974,B,David,1794,1,1\n1974,G,Nicola,1137,1,1\n"
    assert rows(content, "any.csv", "GB") == [(1974, "M", "David", 1794), (1974, "F", "Nicola", 1137)]
    assert refusal(content, "any.csv", "GB", year=1975).reason is Reason.CONTRADICTORY


@pytest.mark.parametrize("first", ["full-list-1974-2025.csv", "metadata.csv"])
def test_scotland_since_1974_is_an_archive_with_a_text_beside_the_list(first: str) -> None:
    """The archive's own name may be lost: the list in it has its name."""
    members = {
        "full-list-1974-2025.csv": SCOTLAND_SINCE_1974,
        "metadata.csv": "All names given to babies, 1974 to 2025\r\nNames with a count of 2 or less are redacted\r\n",
    }
    archive = zipped({name: members[name] for name in sorted(members, key=lambda name: name != first)})
    assert rows(archive, "download.zip", "GB") == [(2024, "M", "Jack", 5), (2024, "F", "Isla", 7)]
    assert reported(archive, "download.zip", "GB").left_out == {"texts beside the lists in the archive": 1}


@pytest.mark.parametrize("year", ["yr", "year"])
def test_scotland_heads_the_year_in_two_ways(year: str) -> None:
    content = f"{year},sex,FirstForename,number,rank,position\r\n2020,B,Jack,5,1,1\r\n2020,G,Isla,7,1,1\r\n"
    assert rows(content, "babies-names-year.csv", "GB") == [(2020, "M", "Jack", 5), (2020, "F", "Isla", 7)]


def test_south_australia_heads_the_names_in_two_ways() -> None:
    content = '"First Name","Amount","Position"\r\n"ISLA","7","1"\r\n"NORA","5","=2"\r\n'
    assert rows(content, "topnames_female_cy2024.csv", "AU") == [(2024, "F", "ISLA", 7), (2024, "F", "NORA", 5)]
    assert rows(SA.encode("cp1252").replace(b"Given Name", b"First Name"), SA_NAME, "AU") == rows(
        SA.encode("cp1252"), SA_NAME, "AU"
    )
    assert refusal("First Name,Amount\r\nISLA,7\r\n", "female_cy2024.csv", "AU").reason is Reason.INVALID_FORMAT


def test_south_australia_adds_up_names_cut_to_the_same() -> None:
    """It leaves the unnamed out."""
    content = SA.encode("cp1252")
    found = reported(content, SA_NAME, "AU")
    assert rows(content, SA_NAME, "AU") == [(1944, "M", "JOHN", 479), (1944, "M", "CHLOÉ", 1)]
    assert found.left_out == {"children without a name (UNNAMED)": 2}
    assert found.added == {"lines of the same name (what follows the first name was cut off)": 1}


@pytest.mark.parametrize(("name", "year", "sex"), [("cy1944.csv", None, "M"), ("male.csv", 1944, None)])
def test_what_the_name_of_a_file_has_lost_is_told(name: str, year: int | None, sex: str | None) -> None:
    assert rows(SA.encode("cp1252"), name, "AU", year, sex) == rows(SA.encode("cp1252"), SA_NAME, "AU")
    assert refusal(SA.encode("cp1252"), name, "AU").reason is Reason.INVALID_FILENAME


def test_what_is_told_must_not_contradict_the_name_of_the_file() -> None:
    assert refusal(SA.encode("cp1252"), SA_NAME, "AU", year=1945).reason is Reason.CONTRADICTORY
    assert refusal(SA.encode("cp1252"), SA_NAME, "AU", sex="F").reason is Reason.CONTRADICTORY


def test_years_and_sexes_of_an_archive_are_those_of_its_members() -> None:
    archive = zipped({"Baby Names/male_cy1944_top.csv": SA, "Baby Names/female_cy1945_top.csv": SA, "readme.pdf": "x"})
    found = reported(archive, "baby-names-1944-2013.zip", "AU")
    assert [(one.year, one.gender, one.rows) for one in found.totals] == [(1944, "M", 2), (1945, "F", 2)]
    assert found.left_out["other files in the archive"] == 1
    bad = refusal(zipped({"a/male_cy1944_top.csv": SA + "ANN,x,9\r\n"}), "z.zip", "AU")
    assert str(bad).startswith("z.zip, member 'a/male_cy1944_top.csv', line 7: expected a whole number")


def test_a_list_of_the_first_hundred_of_south_australia_is_told_by_its_positions() -> None:
    top = "Given Name,Amount,Position\nISLA,112,1\nNORA,15,=96\n"
    assert opened(top, "female_cy2023.csv", "AU").top == 100
    assert opened(top + "ZOE,1,=345\n", "female_cy2023.csv", "AU").top is None


def test_queensland_has_lists_of_unequal_length_side_by_side() -> None:
    content = "Girl Names,Count of Girl Names,Boy Names,Count of Boy Names\r\nRuby,440,Cooper,493\r\nMia,51,,\r\n"
    assert rows(content, "20150309_BDM_Top-100-Baby-Names-2010.csv", "AU") == [
        (2010, "F", "Ruby", 440),
        (2010, "M", "Cooper", 493),
        (2010, "F", "Mia", 51),
    ]
    assert refusal(content, "20150309_BDM_Top-100.csv", "AU").reason is Reason.INVALID_FILENAME
    assert "expected 4 fields, found 3" in str(refusal(content + "A,1,B\r\n", "x-2010.csv", "AU"))


def test_portugal_has_headings_or_not_and_adds_up_the_same_name() -> None:
    with_headings = "nome,numero,genero\nAna,161,F\nAna,1,F\nkyara,1,F\nKyara,3,F\n"
    assert rows(with_headings, "nomes-registados-2014.csv", "PT") == [
        (2014, "F", "Ana", 162),
        (2014, "F", "kyara", 1),
        (2014, "F", "Kyara", 3),
    ]
    bare = "Maria,F,5324\r\nJoa\u0303o,M,1932\r\nSantiago,I,1"
    assert rows(bare, "nomes-registados-2015.csv", "PT") == [(2015, "F", "Maria", 5324), (2015, "M", "João", 1932)]
    assert reported(bare, "nomes-registados-2015.csv", "PT").left_out == {"children of undetermined sex (I)": 1}


def test_cologne_adds_up_the_positions_of_a_given_name() -> None:
    content = "anzahl;vorname;geschlecht;position\n257;Marie;w;2\n104;Marie;w;1\n2;;w;2\n"
    assert rows(content, "Vornamen_2018_Koeln.csv", "DE") == [(2018, "F", "Marie", 361)]
    found = reported(content, "Vornamen_2018_Koeln.csv", "DE")
    assert (found.left_out, found.added) == ({"records without a name": 1}, {"positions of the same given name": 1})
    assert rows("vorname,anzahl,geschlecht\r\nMarie,300,w\r\n", "Koeln_2010.csv", "DE") == [(2010, "F", "Marie", 300)]


def test_a_sum_too_large_for_the_table_is_refused() -> None:
    # Found by fuzzing.
    content = "anzahl;vorname;geschlecht;position\n2000000000;Ana;w;1\n3;Eva;w;1\n2000000000;Ana;w;2\n"
    error = refusal(content, "Vornamen_2018_Koeln.csv", "DE")
    assert str(error) == "Vornamen_2018_Koeln.csv, line 2: added up, the count is more than 2147483647"


def test_ireland_is_a_matrix_of_ranks_and_births() -> None:
    content = PX.encode("cp1252")
    assert rows(content, "VSA10.px", "IE") == [(1998, "M", "Jack", 543), (1999, "M", "Jack", 743)]
    assert reported(content, "VSA10.px", "IE").left_out == {
        "counts of 0": 1,
        "suppressed or absent figures (..)": 1,
    }
    assert rows(content.replace(b"101 0 \r\n", b"101 7;"), "VSA10.px", "IE")[-1] == (1999, "M", "Seán", 7)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('".." ".." 101 0 \r\n', "", "expected 8 figures by VALUES of STUB and HEADING, found 4"),
        ("101 0 \r\n", "101 0", "the file is cut off"),
        ("DATA=", "DATE=", "the file is cut off"),
        ("Registered Births", "Ranks again", "expected names by years by statistic, and births"),
        ('STUB="Name"', 'STUB="Place"', "expected 0 figures"),
        ("1998", "18", "expected a year from"),
        ('"Seán"', '"5"', "expected a name"),
    ],
)
def test_a_matrix_that_is_not_whole_is_refused(old: str, new: str, said: str) -> None:
    content = PX.replace("101 0", "101 7") if new == '"5"' else PX
    assert said in str(refusal(content.replace(old, new).encode("cp1252"), "VSA10.px", "IE"))


def test_a_name_in_two_letter_cases_is_two_rows_as_published() -> None:
    content = INSEE + "1;Jean;1900;3\r\n"
    assert [row[2] for row in rows(content, "n.csv", "FR")] == ["JEAN", "ÉLISE", "Jean"]


def test_the_same_name_twice_is_refused_with_both_places() -> None:
    error = refusal(INSEE + "2;E\u0301LISE;1901;6\r\n", "n.csv", "FR")
    assert str(error) == "n.csv, line 4: the same name and sex as in line 3, for the same year"
