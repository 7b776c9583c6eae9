#!/bin/sh
# Counts records and figures of publishers' files with awk and grep, knowing nothing of the parsers that it checks:
#   sh tests/data/count.sh FOLDER
# prints path, records with a figure and the sum of the figures, for the files of FOLDER that it has a rule for. The
# rules hold for these files only: they go by columns and line numbers. Old workbooks (.xls) are not for grep.
set -eu
LC_ALL=C
export LC_ALL
cd "$1"

say() { awk -v path="$1" '{ rows++; sum += $1 } END { printf "%s,%d,%.0f\n", path, rows, sum }'; }
field() { tr -d '\r"' | awk -F"$1" -v c="$2" -v from="$3" 'NR >= from && $c ~ /^[0-9]+$/ && $c > 0 { print $c }'; }

# A sheet's cells, one a line: column letters, row, value. Text cells have the index of their text and "s".
cells() {
    unzip -p "$1" "xl/worksheets/$2" | tr -d '\r\n' | sed 's/<ns0:/</g; s/<\/ns0:/<\//g; s/<c /\n<c /g' | sed -n 's/<\/row>.*//; s/^<c \(.*\)/\1/p' |
        awk '{ type = ($0 ~ /t="/) ? substr($0, index($0, "t=\"") + 3, 1) : "n"
               if (match($0, /r="[A-Z]+[0-9]+"/)) { ref = substr($0, RSTART + 3, RLENGTH - 4) } else next
               if (match($0, /<v>[^<]*<\/v>/)) { value = substr($0, RSTART + 3, RLENGTH - 7) } else next
               col = ref; gsub(/[0-9]/, "", col); row = ref; gsub(/[A-Z]/, "", row)
               print col, row, value, type }'
}
# The numbers in one column of a sheet, from one row to another.
column() { cells "$1" "$2" | awk -v c="$3" -v from="$4" -v to="${5:-99999}" '$1 == c && $4 == "n" && $2 >= from && $2 <= to { print $3 }'; }
# The shared texts of a workbook, one a line.
texts() { unzip -p "$1" xl/sharedStrings.xml | tr -d '\r\n' | sed 's/<si>/\n/g' | sed 1d | sed 's/<rPh.*//; s/<[^>]*>//g'; }
has() { [ -f "$1" ]; }

for f in us/national/*.txt; do has "$f" && field , 3 1 < "$f" | say "$f"; done
for f in us/*.TXT us/state/*.TXT us/territory/*.TXT; do has "$f" && field , 5 1 < "$f" | say "$f"; done
for f in ca/ontario/*.csv; do has "$f" && grep -v ',,' "$f" | field , 3 2 | say "$f"; done
for f in ca/bc/*.csv; do
    has "$f" && tr -d '\r' < "$f" | awk -F, 'NR > 1 { for (i = 2; i < NF; i++) if ($i > 0) print $i }' | say "$f"
done
for f in au/sa/*.csv; do has "$f" && grep -v '^"*UNNAMED\|^"*(NOT' "$f" | field , 2 2 | say "$f"; done
for f in au/sa/*.zip; do
    has "$f" && unzip -p "$f" | grep -v 'UNNAMED\|^"(NOT' | sed 's/","/\t/g' | field '\t' 2 1 | say "$f"
done
for f in au/nsw/*.csv; do has "$f" && field , 3 2 < "$f" | say "$f"; done
for f in au/qld/*-to-*.csv; do has "$f" && field , 4 2 < "$f" | say "$f"; done
for f in au/qld/*-2010.csv au/qld/top-*.csv; do
    has "$f" && { field , 2 2 < "$f"; field , 4 2 < "$f"; } | say "$f"
done
for f in au/qld/*-2018.csv; do
    # A line of the girls' list comes twice, and counts once.
    has "$f" && { cut -d, -f1,2 "$f" | awk '!seen[$0]++' | field , 2 2; field , 4 2 < "$f"; } | say "$f"
done
for f in au/vic/*2008.xlsx; do has "$f" && { column "$f" sheet1.xml C 4; column "$f" sheet1.xml G 4; } | say "$f"; done
for f in au/vic/*2020.xlsx; do has "$f" && { column "$f" sheet1.xml C 3; column "$f" sheet1.xml F 3; } | say "$f"; done
for f in au/vic/*2023.xlsx; do has "$f" && { column "$f" sheet1.xml D 3; column "$f" sheet1.xml F 3; } | say "$f"; done
for f in au/vic/*2024.xlsx; do has "$f" && { column "$f" sheet1.xml C 2; column "$f" sheet1.xml F 2; } | say "$f"; done
for f in au/tas/tasman*.xlsx; do has "$f" && { column "$f" sheet1.xml C 2; column "$f" sheet2.xml C 2; } | say "$f"; done
for f in au/tas/top-*.xlsx; do has "$f" && column "$f" sheet1.xml B 3 | say "$f"; done
for f in gb-eaw/20*.xlsx gb-eaw/boys*.xlsx gb-eaw/girls*.xlsx; do
    # Its list is the longest sheet.
    has "$f" && sheet=$(unzip -lv "$f" | sort -n | awk '/worksheets\/sheet/ { s = $NF } END { sub(/.*\//, "", s); print s }') &&
        column "$f" "$sheet" C 6 | say "$f"
done
for f in gb-sct/*.zip; do has "$f" && unzip -p "$f" | grep '^[0-9=]*,[^,]*,[0-9]' | field , 3 1 | say "$f"; done
for f in gb-nir/*.xlsx; do
    # Tables 1 and 2: every second column of three.
    case $f in *9718*) sheets="sheet2.xml sheet3.xml" ;; *) sheets="sheet3.xml sheet4.xml" ;; esac
    has "$f" && for sheet in $sheets; do
        cells "$f" $sheet | awk '$4 == "n" && $2 >= 5 { n = 0; for (i = 1; i <= length($1); i++) n = n * 26 + index("ABCDEFGHIJKLMNOPQRSTUVWXYZ", substr($1, i, 1)); if (n % 3 == 2) print $3 }'
    done | say "$f"
done
for f in nz/*.xlsx; do
    # Counts are the numbers right of a text: names are texts, ranks stand left of them.
    has "$f" && for sheet in sheet1.xml sheet2.xml; do
        cells "$f" $sheet | awk '$2 >= 8 && $2 <= 107 { if ($4 == "n" && was == "s" && row == $2) print $3; was = $4; row = $2 }'
    done | say "$f"
done
for f in nz/*.csv; do has "$f" && field , 5 2 < "$f" | say "$f"; done
for f in ie/*.px; do
    has "$f" && tr -d '\r' < "$f" | sed '1,/^DATA=/d' | tr ' ' '\n' | grep . | awk 'NR % 2 == 0 && $1 ~ /^[0-9]+$/ && $1 > 0' | say "$f"
done
for f in ie/*.json; do
    # A figure a line; the first half of them are births.
    has "$f" && sed '1,/^  "value":\[/d' "$f" | awk '/^ *[0-9n]/ { cell[n++] = $1 + 0 }
        END { for (i = 0; i < n / 2; i++) if (cell[i] > 0) print cell[i] }' | say "$f"
done
for f in se/*.xlsx; do
    # Its numbers are texts.
    has "$f" && { texts "$f" > /tmp/texts.$$; cells "$f" sheet1.xml | awk -v t=/tmp/texts.$$ '
        BEGIN { while ((getline line < t) > 0) text[n++] = line }
        $2 >= 10 && $1 != "A" && $4 == "s" && text[$3] ~ /^[0-9]+$/ { print text[$3] }'; rm -f /tmp/texts.$$; } | say "$f"
done
for f in se/*.csv; do has "$f" && field '\t' 3 2 < "$f" | say "$f"; done
for f in no/*.csv; do has "$f" && field ';' 3 4 < "$f" | say "$f"; done
for f in fi/*.xlsx; do has "$f" && { column "$f" sheet2.xml B 2; column "$f" sheet5.xml B 2; } | say "$f"; done
for f in fr/*.zip; do has "$f" && unzip -p "$f" | grep -v 'PRENOMS_RARES\|;XXXX;' | field ';' 4 2 | say "$f"; done
for f in fr/paris/*.csv; do has "$f" && field ';' 1 2 < "$f" | say "$f"; done
for f in be/Pr*.xlsx; do
    # Its last sheet is that of all years together.
    has "$f" && for n in $(seq 1 31); do column "$f" sheet$n.xml C 2; done | say "$f"
done
for f in be/First*.xlsx; do
    has "$f" && for n in 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do column "$f" sheet$n.xml F 3; done | say "$f"
done
for f in us/nyc/*.csv; do
    # The publisher repeats lines.
    has "$f" && sed 1d "$f" | sort -u | field , 5 1 | say "$f"
done
for f in us/nys/*.csv; do has "$f" && field , 5 2 < "$f" | say "$f"; done
for f in uy/*.csv; do
    # Without equal lines, and lines without a letter or with N.N.
    has "$f" && sort -u "$f" | grep -v '^[^,]*,[^,]*,"\([^A-Za-z]*\|N\.*N\.*\|SIN VIDA\|XXX*\)",' | awk -F, '{ print $NF }' | say "$f"
done
for f in cl/*.csv; do has "$f" && sed 1d "$f" | tr -d '\r' | awk -F, '{ print $NF }' | say "$f"; done
for f in si/*.csv; do
    # As many columns of figures as of ranks.
    has "$f" && sed 1,3d "$f" | tr -d '\r' |
        awk -F, '{ for (i = 2; i <= (NF + 1) / 2; i++) if ($i ~ /^[0-9]+$/) print $i }' | say "$f"
done
for f in il/*.xlsx; do
    # Names in A, totals in B, then the years.
    has "$f" && for n in 1 2 3 4 5 6 7 8 9 10; do
        cells "$f" sheet$n.xml | awk '$4 == "n" && $2 >= 14 && $1 != "A" && $1 != "B" { print $3 }'
    done | say "$f"
done
for f in dk/*.xlsx; do has "$f" && column "$f" sheet1.xml C 5 | sed '$d' | say "$f"; done
for f in pt/*2014.csv; do has "$f" && field , 2 2 < "$f" | say "$f"; done
for f in pt/*2015.csv pt/*2016.csv; do has "$f" && grep -v ',I,' "$f" | field , 3 1 | say "$f"; done
for f in de/koeln/*2010.csv; do has "$f" && field , 2 2 < "$f" | say "$f"; done
for f in de/koeln/*2014.csv; do has "$f" && grep -v '^;' "$f" | field ';' 2 2 | say "$f"; done
for f in de/koeln/*2018*.csv de/koeln/*2020*.csv de/leipzig/*2021.csv de/berlin/20*/*20*.csv; do
    has "$f" && grep -v ';;\|;+;\|;-;' "$f" | field ';' 1 2 | say "$f"
done
for f in de/berlin/2012/mitte.csv; do has "$f" && field ';' 2 2 < "$f" | say "$f"; done
for f in de/leipzig/*2014.csv; do has "$f" && { field , 2 2 < "$f"; field , 7 2 < "$f"; } | say "$f"; done
for f in de/muenchen/*.csv; do has "$f" && grep -v '^+,' "$f" | field , 2 2 | say "$f"; done
for f in at/wien/*; do has "$f" && grep -v '";"\.";"' "$f" | field ';' 9 3 | say "$f"; done
for f in ch/zuerich/*; do has "$f" && field , 4 2 < "$f" | say "$f"; done
for f in es/cat/*; do has "$f" && field , 4 10 < "$f" | say "$f"; done
