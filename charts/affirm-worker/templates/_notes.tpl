{{/* The notes of a release with a Postgres of its own. */}}
{{- define "affirm-worker.notesOfBundled" }}
{{- $namespace := .Release.Namespace }}
{{- $name := include "affirm-worker.fullname" . }}
{{- $storage := include "affirm-worker.bundledStorage" . }}
Its database is the bundled Postgres{{ if $storage }}, and its files are in the bundled storage{{ end }}: one pod and one volume{{ if $storage }} each{{ end }}, for
trying it out, without a backup. docs/chart-no-values.md says how to go on to your own.
{{ if include "affirm-worker.apiEnabled" . }}
A way to the API, a key, and a file:

  kubectl --namespace {{ $namespace }} port-forward service/{{ include "affirm-worker.apiName" . }} 8080:{{ .Values.api.service.port }}
  export AFFIRM_WORKER_KEY=$(kubectl --namespace {{ $namespace }} exec deployment/{{ $name }} -c controller -- affirm-worker keys make me --role admin)
  AFFIRM_WORKER_API=http://localhost:8080 affirm-worker upload yob2023.txt --country US --wait

All is ready when this ends:

  kubectl --namespace {{ $namespace }} rollout status deployment/{{ include "affirm-worker.apiName" . }}

`helm test {{ .Release.Name }} --namespace {{ $namespace }}` loads a small file and removes it again.
{{- else }}
Submit a file from your machine:

  kubectl --namespace {{ $namespace }} exec -i deployment/{{ $name }} -c controller -- \
    affirm-worker submit - --name yob2023.txt --country US --wait < yob2023.txt
{{- end }}

`helm uninstall` leaves rows, files, passwords, runners' Jobs and the custom resource. To remove them too:

  kubectl --namespace {{ $namespace }} delete pvc,secret,pod -l app.kubernetes.io/instance={{ .Release.Name }}
  kubectl --namespace {{ $namespace }} delete jobs -l app=affirm-parser
  kubectl delete crd parserpools.affirm.dev
{{ end }}
