ARG BASE
FROM ${BASE}
COPY acting_runner.py /
ENTRYPOINT ["python3", "/acting_runner.py"]
