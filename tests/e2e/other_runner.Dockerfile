# The runner's image of a later version, which has one migration more; and a program of no known kind.
ARG BASE
FROM ${BASE}
USER 0
RUN for folder in /opt/affirm-worker/lib/python3*/site-packages/dataset_jobs/migrations; do \
      echo "-- Of a later version." > "$folder/9999_later.sql"; done \
    && printf '\177ELF of another machine' > /program && chmod 755 /program
USER 65532:65532
