# Two images from one file, the targets `controller` and `parser-runner`: `make images` builds them and tells them the
# version.
#
# BASE is any Debian-like image with python3 (3.11 or later) and its venv module. Nothing here needs BuildKit. A release
# names it by its digest (make images BASE=name@sha256:…); the tag below may mean another image tomorrow.
ARG BASE=python:3.13-slim


# What both images stand on.
FROM ${BASE} AS python
# The official Python images ship no bytecode for the standard library, and with a read-only root file system
# it would be compiled again at every start. Unchecked pycs stay valid whatever a builder does to file times.
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x '/(site-packages|dist-packages|test|tests|idlelib|lib2to3|turtledemo|ensurepip)/' \
      "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
RUN echo 'affirm:x:65532:' >> /etc/group \
 && echo 'affirm:x:65532:65532::/tmp:/usr/sbin/nologin' >> /etc/passwd
ENV PATH=/opt/affirm-worker/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1


# pip and the build backend, in a venv of their own that no image contains; beside it the empty venv, without
# pip, that the images carry.
FROM python AS builder
COPY requirements/build.txt /src/requirements/build.txt
RUN python3 -m venv /opt/builder \
 && /opt/builder/bin/pip install --no-cache-dir --require-hashes -r /src/requirements/build.txt \
 && python3 -m venv --without-pip /opt/affirm-worker


# The dependencies of each image, from its lock file.
FROM builder AS runner-dependencies
COPY requirements/runner.txt /src/requirements/runner.txt
RUN /opt/builder/bin/pip --python /opt/affirm-worker/bin/python install --no-cache-dir --no-compile \
      --only-binary :all: --require-hashes -r /src/requirements/runner.txt \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/affirm-worker/lib

FROM builder AS controller-dependencies
COPY requirements/controller.txt /src/requirements/controller.txt
RUN /opt/builder/bin/pip --python /opt/affirm-worker/bin/python install --no-cache-dir --no-compile \
      --only-binary :all: --require-hashes -r /src/requirements/controller.txt \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/affirm-worker/lib


# Our own packages, as an overlay over the venv: they change most often, and then no dependency is installed again.
FROM builder AS controller-code
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY dataset_jobs dataset_jobs
COPY parser_runner parser_runner
COPY services services
COPY remote remote
COPY app app
COPY controller controller
COPY api api
COPY dashboard dashboard
COPY cli cli
RUN /opt/builder/bin/pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /dist . \
 && /opt/builder/bin/pip --python /opt/affirm-worker/bin/python install --no-cache-dir --no-compile --no-deps \
      --no-index --no-warn-script-location --prefix /overlay /dist/*.whl \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /overlay/lib

# The parser-runner's image has no dependencies for the controller and the command line, so it leaves them out.
FROM controller-code AS runner-code
RUN cd /overlay/lib/python3*/site-packages && rm -r /overlay/bin/affirm-worker api app cli controller dashboard remote services


FROM python AS parser-runner
COPY --from=runner-dependencies /opt/affirm-worker /opt/affirm-worker
COPY --from=runner-code /overlay /opt/affirm-worker
ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="affirm-parser-runner" \
      org.opencontainers.image.description="Loads one dataset of first-name statistics into Postgres" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
ENTRYPOINT ["parser-runner"]


FROM python AS controller
# A pod has the settings of its environment and no others, whatever lies in the home folder of its user.
ENV AFFIRM_WORKER_CONFIG=/dev/null
COPY --from=controller-dependencies /opt/affirm-worker /opt/affirm-worker
COPY --from=controller-code /overlay /opt/affirm-worker
ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="affirm-worker" \
      org.opencontainers.image.description="Queue controller and command line that load first-name statistics into Postgres" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
ENTRYPOINT ["affirm-worker"]
