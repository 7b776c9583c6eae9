"""Invented lists in the headings of publishers that are not covered, or that nobody can tell from covered ones.

All names in them are made up. The headings are those that such offices use or are likely to use.
"""

from typing import NamedTuple


class Foreign(NamedTuple):
    """A list of a publisher that has no format here.

    Args:
        publisher: whose it would be.
        country: ISO 3166-1 code.
        name: of the file.
        content: a few lines.
    """

    publisher: str
    country: str
    name: str
    content: str


_REGISTRY = "anzahl;vorname;geschlecht;position\n7;Testina;w;1\n5;Probert;m;1\n2;Testina;w;2\n"
_REGISTRY_2012 = "vorname,anzahl,geschlecht\nTestina,7,w\nProbert,5,m\n"

FOREIGN = [
    # Germany: the program of the registry offices, and what cities make of it.
    Foreign("Bonn", "DE", "Vornamen_Bonn_2021.csv", _REGISTRY),
    Foreign("Ulm", "DE", "ulm_vornamen_2016.csv", _REGISTRY_2012),
    Foreign("Hamburg", "DE", "vornamen-hamburg-mitte-2019.csv", _REGISTRY),
    Foreign("Moers", "DE", "vornamen2019.csv", _REGISTRY_2012.replace(",", ";")),
    Foreign("Berlin, no district", "DE", "berlin-2018.csv", _REGISTRY),
    Foreign("Berlin, Mitte", "DE", "mitte2012.csv", _REGISTRY_2012),
    Foreign("Neukölln is not Köln", "DE", "Neukölln Vornamen 2018.csv", _REGISTRY),
    Foreign("County of Leipzig", "DE", "Vornamen_Landkreis_Leipzig_2021.csv", _REGISTRY),
    Foreign("County of Munich", "DE", "Landkreis München Vornamen 2013.csv", _REGISTRY_2012),
    Foreign("Cologne's region", "DE", "Regierungsbezirk-Koeln-2014.csv", _REGISTRY_2012),
    Foreign("A neighbour", "DE", "Frechen bei Köln 2014.csv", _REGISTRY_2012),
    Foreign("Two cities", "DE", "Koeln_und_Bonn_2014.csv", _REGISTRY_2012),
    Foreign("Two covered cities", "DE", "koeln-leipzig-2014.csv", _REGISTRY_2012),
    Foreign("The word in another word", "DE", "koelner-umland-2014.csv", _REGISTRY_2012),
    Foreign("Rostock", "DE", "vornamen.csv", "jahr,geschlecht,vorname,anzahl\n2019,w,Testina,7\n2019,m,Probert,5\n"),
    Foreign("Frankfurt", "DE", "frankfurt.csv", "Vorname;Anzahl;Geschlecht;Jahr\nTestina;7;weiblich;2019\n"),
    Foreign("Düsseldorf", "DE", "Vornamenstatistik_2024_insgesamt.csv", "Vorname;Anzahl;Geschlecht\nTestina;7;w\n"),
    Foreign(
        "Dortmund",
        "DE",
        "dortmund-gesamt.csv",
        "jahr;stellung;geschlecht;vorname;rang;anzahl;kommune\n2021;1;w;Testina;1;7;Dortmund\n",
    ),
    Foreign("Dresden", "DE", "dresden_2014.csv", "Rang,Anzahl,Vorname,Geschlecht\n1,57,Testina,w\n1,63,Probert,m\n"),
    Foreign(
        "Halle",
        "DE",
        "halle_2014.csv",
        "Rang;Vorname;Anzahl;Geschlecht;;Rang;Vorname;Anzahl;Geschlecht\n1;Testina;57;w;;1;Probert;63;m\n",
    ),
    # Switzerland
    Foreign(
        "Canton of Zurich",
        "CH",
        "kanton_zuerich_vornamen.csv",
        "jahr,vorname,geschlecht,Anzahl\n2015,Testina,weiblich,7\n",
    ),
    Foreign("Winterthur", "CH", "vornamen_seit1993.csv", "jahr,vorname,geschlecht,anzahl\n2015,Testina,weiblich,7\n"),
    Foreign(
        "Zurich's second names",
        "CH",
        "bev_zweitevornamen_baby_od3702.csv",
        "jahr,vorname,geschlecht,anzahl\n2015,Testina,weiblich,7\n",
    ),
    Foreign("Basel", "CH", "100192.csv", "Jahr;Geschlecht;Vorname;Anzahl\n2015;weiblich;Testina;7\n"),
    Foreign("Geneva", "CH", "prenoms_geneve.csv", "annee;sexe;prenom;nombre\n2015;F;TESTINA;7\n"),
    Foreign(
        "Federal Statistical Office", "CH", "ts-x-01.04.csv", "TIME_PERIOD;PRENOM;GENDER;OBS_VALUE\n2015;Testina;F;7\n"
    ),
    # Austria
    Foreign("Graz", "AT", "vornamen_graz.csv", "Jahr;Geschlecht;Vorname;Anzahl\n2015;weiblich;Testina;7\n"),
    Foreign("Linz", "AT", "linz.csv", "REF_YEAR;SEX;NAME;N\n2015;2;Testina;7\n"),
    Foreign(
        "A district of Vienna",
        "AT",
        "vornamen-bezirk.csv",
        '"NUTS";"DISTRICT_CODE";"SUB_DISTRICT_CODE";"REF_YEAR";"REF_DATE";"SEX";"RANK";"NAME";"N";"PERC_SEX"\n'
        '"AT13";"90100";"90100";"2015";"2015";"2";"1";"Testina";"7";"1,8"\n',
    ),
    Foreign(
        "Statistics Austria",
        "AT",
        "OGDEXT_VORNAMEN_1.csv",
        "C-JAHR-0;C-GESCHLECHT-0;C-WOHNBEZIRK-0;F-VORNAME_NORMALISIERT;F-ANZAHL_LGEB\nJAHR-2015;GESCHLECHT-2;B-60101;Testina;7\n",
    ),
    # Spain
    Foreign("Barcelona", "ES", "2022_noms_nadons.csv", "Any,Ordre,Nom,Sexe,Nombre\n2022,1,TESTINA,Dona,7\n"),
    Foreign("INE", "ES", "nombres_por_edad_media.csv", "Orden;Nombre;Frecuencia;Edad media\n1;TESTINA;7;40,1\n"),
    Foreign("Madrid", "ES", "madrid_2022.csv", "nombre,sexo,total\nTESTINA,Mujer,7\n"),
    Foreign(
        "Barcelona by Idescat",
        "ES",
        "nadons_barcelona.csv",
        "Noms més freqüents dels nadons. 2022\nBarcelona\n"
        "Pos.,Sexe,Nom,Rànquing. Freqüència,Rànquing. ‰\n1,D,TESTINA,44,7\n",
    ),
    # Countries whose publishers have other headings.
    Foreign(
        "Nantes",
        "FR",
        "prenoms-nantes.csv",
        "COMMUNE_NOM;ENFANT_PRENOM;ENFANT_SEXE;ANNEE;NOMBRE_OCCURRENCES\nNantes;Testina;F;2015;7\n",
    ),
    Foreign("Saskatchewan", "CA", "saskatchewan-girls.csv", "Name,2018,2019,Total\nTestina,7,8,15\n"),
    Foreign("Nobody", "CA", "abc girls.csv", "Name,2018,2019,Total\nTestina,7,8,15\n"),
    Foreign("Alberta", "CA", "alberta.csv", "Rank,Girl Names,Frequency,Year\n1,Testina,7,2015\n"),
    Foreign("Milan", "IT", "nomi_milano.csv", "anno;nome;sesso;numero\n2015;Testina;F;7\n"),
    Foreign("Oslo", "NO", "oslo.csv", "navn;ar;antall\nTestina;2015;7\n"),
    Foreign("Helsinki", "FI", "etunimet_helsinki.csv", "Etunimi;Lukumäärä;Sukupuoli;Vuosi\nTestina;7;nainen;2015\n"),
    Foreign("Gent", "BE", "voornamen_gent.csv", "jaar;voornaam;geslacht;aantal\n2015;Testina;V;7\n"),
    Foreign(
        "Western Australia", "AU", "wa-lists.csv", "Name,Sex,Year,Count\nTestina,Female,2015,7\nProbert,Male,2015,5\n"
    ),
    Foreign("Anybody", "US", "names.csv", "name,sex,count\nTestina,F,7\nProbert,M,5\n"),
]
