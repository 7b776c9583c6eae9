"""Headings that registries use for years, sexes, names and counts, and their words for the sexes.

For suggestions, and to notice a column that a description leaves out. Formats never use them: whose file it is shows by
what is a publisher's own. All are in small letters.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split(", "))


YEAR = _words(
    "year, year of birth, birth year, jahr, geburtsjahr, année, annee, annais, année de naissance, ano, año, anio, any,"
    " anno, år, fødselsår, födelseår, aar, vuosi, syntymävuosi, leto, leto rojstva, godina, jaar, geboortejaar, rok,"
    " rok urodzenia, év, aasta, gads, metai, yıl, έτος, год, рік, שנה, ref_year, stichtagdatjahr"
)
SEX = _words(
    "sex, gender, geschlecht, sexe, sexo, sesso, genere, género, genero, gènere, kön, køn, kjønn, kjonn, sukupuoli,"
    " spol, geslacht, sekse, płeć, plec, pohlaví, pohlavie, nem, sugu, dzimums, lytis, cinsiyet, φύλο, пол, стать, מין,"
    " sexlang"
)
NAME = _words(
    "name, names, first name, first names, given name, given names, firstname, forename, child's first name, vorname,"
    " vornamen, prénom, prénoms, prenom, prenoms, preusuel, nombre, nombres, nom, nome, nomi, nome próprio, navn,"
    " fornavn, fornavne, namn, förnamn, tilltalsnamn, namn / name, nimi, etunimi, ime, imena, voornaam, voornamen,"
    " imię, imie, jméno, meno, utónév, keresztnév, eesnimi, vārds, vardas, isim, όνομα, имя, ім'я, שם, שם פרטי"
)
COUNT = _words(
    "count, counts, number, number of babies, number of births, births, total, frequency, amount, anzahl, häufigkeit,"
    " nombre, nombre de naissances, effectif, effectifs, fréquence, nombre_de_prenoms, cantidad, frecuencia,"
    " freqüència, frequência, frequenza, numero, número, número de, nati, antal, antall, lukumäärä, määrä, število,"
    " stevilo, broj, aantal, liczba, liczba wystąpień, počet, pocet, darab, fő, arv, skaits, skaičius, sayı, αριθμός,"
    " число, количество, кількість, מספר, n"
)
RANK = _words(
    "rank, rang, ranking, rànquing, position, pos, pos., posición, platz, plats, plass, plassering, nr, nr., no, no.,"
    " #, sija, miejsce, pořadí, poradie, rango, rangnummer, %, ‰, percent, prozent, share, anteil, perc_sex, id"
)
SURNAME = _words("last, surname, surnames, family, nachname, nachnamen, familienname, apellido, apellidos, cognome")
"""Words in headings of other names than given ones."""

SEXES = {
    "F": _words(
        "f, female, females, girl, girls, w, weiblich, mädchen, fille, filles, féminin, feminin, femme, femmes, mujer,"
        " mujeres, femenino, niña, niñas, dona, dones, nena, nenes, femenil, femmina, femmine, femminile, feminino,"
        " kvinde, kvinder, pige, piger, kvinne, jente, jenter, kvinna, kvinnor, flicka, flickor, nainen, naiset, tyttö,"
        " ženska, ženski, deklice, vrouw, meisje, meisjes, kobieta, żeński, žena, nő, naine, tüdruk, sieviete,"
        " moteris, kadın, ж, женский"
    ),
    "M": _words(
        "m, male, males, boy, boys, männlich, maennlich, jungen, knaben, garçon, garçons, masculin, homme, hommes,"
        " hombre, hombres, masculino, niño, niños, home, homes, nen, nens, maschio, maschi, maschile, mand, mænd,"
        " dreng, drenge, mann, gutt, gutter, man, män, pojke, pojkar, mies, miehet, poika, moški, muški, dečki, jongen,"
        " jongens, mężczyzna, męski, muž, férfi, mees, poiss, vīrietis, vyras, erkek, м, мужской"
    ),
}
"""Texts in a column of sexes that mean one sex in every language that has them."""

UNSURE = {
    ("h", "m"): ("M", "F", "as hombre and mujer"),
    ("d", "h"): ("F", "M", "as dona and home"),
    ("f", "h"): ("F", "M", "as femme and homme"),
    ("m", "v"): ("M", "F", "as man and vrouw; but in Spanish v is varón, and m mujer"),
    ("k", "m"): ("F", "M", "as kvinde and mand, or kobieta and mężczyzna"),
    ("m", "n"): ("M", "F", "as mies and nainen"),
    ("p", "t"): ("M", "F", "as poika and tyttö"),
    ("m", "z"): ("M", "F", "as moški and ženska"),
    ("m", "ž"): ("M", "F", "as moški and ženska"),
    ("1", "2"): ("M", "F", "as ISO 5218 has them"),
}
"""Pairs of short texts, and what they probably mean."""
