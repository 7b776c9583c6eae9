-- Part of the load's commit: takes the place of the datasets that it was submitted to replace, where it covers the same.
update coverage set superseded_by = %(dataset_key)s
from datasets, unnest(%(years)s::smallint[], %(genders)s::text[]) as covered (year, gender)
where datasets.id = any (%(supersedes)s::uuid[]) and coverage.dataset_key = datasets.key
    and coverage.superseded_by is null and coverage.country_id = %(country_id)s and coverage.measure = %(measure)s
    and coverage.region is not distinct from %(region)s::text
    and coverage.year = covered.year and coverage.gender = covered.gender::"char"
