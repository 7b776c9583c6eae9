-- Which years and sexes a dataset's rows are of, and which of several datasets counts where they say the same.

-- A top list: only so many of the most frequent names of a year and sex (more where there are ties); null where all are.
alter table datasets add column top int check (top > 0);
-- A load says it of the rows it loads.
alter table datasets add constraint only_what_is_loaded_is_marked
    check (loaded_at is not null or (region is null and top is null));

-- The datasets whose place this one takes, as its submitter said, in the years and sexes that it covers. What it does
-- take is in coverage: ids of datasets that are gone, or cover something else, mean nothing.
alter table datasets drop column supersedes;
alter table datasets add column supersedes uuid[] not null default '{}'
    constraint not_its_own_place check (id <> all (supersedes));

-- Of each dataset that has rows: every year and sex among them. Written by the load, in its transaction.
create table coverage (
    dataset_key int not null references datasets (key) on delete cascade,
    year smallint not null,
    gender "char" not null check (gender in ('F', 'M')),
    -- The dataset's, for the index below.
    country_id uuid not null,
    region text,
    measure text not null check (measure in ('births', 'population')),
    row_count int not null check (row_count > 0),
    total_count bigint not null check (total_count >= row_count),
    -- The dataset that counts in this one's place; null where this one counts.
    superseded_by int references datasets (key) check (superseded_by <> dataset_key),
    primary key (dataset_key, year, gender)
);
-- Nothing is counted twice: of one country, region, measure, year and sex one dataset counts, whoever loads at once.
create unique index coverage_counts_once on coverage (country_id, region, measure, year, gender) nulls not distinct
    where superseded_by is null;
create index coverage_superseded on coverage (superseded_by) where superseded_by is not null;

-- What was loaded before: where several datasets cover the same, the one that was loaded last counts.
insert into coverage (dataset_key, year, gender, country_id, region, measure, row_count, total_count, superseded_by)
select dataset_key, year, gender, country_id, region, measure, rows, total,
    lead(dataset_key) over (partition by country_id, region, measure, year, gender order by loaded_at, dataset_key)
from (
    select dataset_key, year, gender, count(*) as rows, sum(count) as total from names group by dataset_key, year, gender
) covered join datasets on datasets.key = covered.dataset_key;

-- Without the year: Postgres then keeps each name once for all its rows, which makes the index a third as large and
-- loading faster. A name has so few rows of each dataset that the year need not narrow them down.
drop index names_by_folded_name;
create index names_by_folded_name on names (folded_name);

-- The rows that may be added up: of one region (null: the whole country) and one measure at a time.
create view counted_names as
select countries.code as country, coverage.region, coverage.measure, names.year, names.gender, names.name,
    names.folded_name, names.count, names.dataset_key
from coverage
join countries on countries.id = coverage.country_id
join names on names.dataset_key = coverage.dataset_key and names.year = coverage.year
    and names.gender = coverage.gender
where coverage.superseded_by is null;
