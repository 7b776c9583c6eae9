{{/* The notes of a release with a Postgres of its own. */}}
{{- define "affirm-worker.notesOfBundled" }}
{{- $namespace := .Release.Namespace }}
{{- $name := include "affirm-worker.fullname" . }}
{{- $storage := include "affirm-worker.bundledStorage" . }}
Its database is the bundled Postgres{{ if $storage }}, and its files are in the bundled storage:
one pod and one volume each{{ else }}: one pod and one volume{{ end }}, for trying it out, without a backup.
docs/chart-no-values.md says how to go on to your own.
{{ if include "affirm-worker.apiEnabled" . }}
All is ready when this ends:

  kubectl --namespace {{ $namespace }} rollout status \
    deployment/{{ include "affirm-worker.apiName" . }}

{{ include "affirm-worker.notesOfPages" . }}

`helm test {{ .Release.Name }} --namespace {{ $namespace }}`
loads a small file and removes it again.
{{- else }}
Submit a file from your machine:

  kubectl --namespace {{ $namespace }} exec -i \
    deployment/{{ $name }} -c controller -- \
    affirm-worker submit - --name yob2023.txt --country US --wait < yob2023.txt
{{- end }}

`helm uninstall` leaves rows, files, passwords, the ParserPool, runners' Jobs
and the custom resource. To remove them too:

  kubectl --namespace {{ $namespace }} delete pvc,secret,pod,parserpool \
    -l app.kubernetes.io/instance={{ .Release.Name }}
  kubectl --namespace {{ $namespace }} delete jobs -l app=affirm-parser
  kubectl delete crd parserpools.affirm.dev
{{ end }}

{{/* How to come to the pages and the API: where they are, the first key, and a file. */}}
{{- define "affirm-worker.notesOfPages" }}
{{- $namespace := .Release.Namespace }}
{{- $api := .Values.api }}
{{- $hosts := list }}
{{- if $api.ingress.enabled }}{{ $hosts = concat $hosts $api.ingress.hosts }}{{ end }}
{{- if $api.httpRoute.enabled }}{{ $hosts = concat $hosts $api.httpRoute.hostnames }}{{ end }}
{{- with uniq $hosts -}}
The pages and the HTTP API are at
{{- range . }}
  https://{{ . }}
{{- end }}
as far as TLS ends before them: over plain HTTP no browser keeps a login. Here,
at http://localhost:8080 while this runs:
{{ else -}}
The pages and the HTTP API, at http://localhost:8080 while this runs:
{{ end }}
  kubectl --namespace {{ $namespace }} port-forward \
    service/{{ include "affirm-worker.apiName" . }} 8080:{{ $api.service.port }}

A key to log in with, which is shown this once:

  kubectl --namespace {{ $namespace }} exec \
    deployment/{{ include "affirm-worker.fullname" . }} -c controller -- \
    affirm-worker keys make me --role admin

Log in there, or upload a file by the command:

  export AFFIRM_WORKER_API=http://localhost:8080 AFFIRM_WORKER_KEY=KEY
  affirm-worker upload yob2023.txt --country US --wait
{{- end }}
