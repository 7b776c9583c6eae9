{{/*
The bundled Postgres and storage: docs/decisions/0024. Each "true" or empty.

No values: neither a Secret with a database nor a place for files is named. An older chart needed one or both, so values
that it installed with never mean this.
*/}}
{{- define "affirm-worker.noValues" -}}
{{- $s3 := (.Values.storage).s3 }}
{{- if and (eq (toString (.Values.storage).type) "s3") (not (or (.Values.database).existingSecret ($s3).bucket ($s3).endpoint (.Values.storage).existingSecret)) }}true{{ end }}
{{- end }}

{{/* Takes a list: the root, `postgres` or `storage`. */}}
{{- define "affirm-worker.isBundled" -}}
{{- $root := index . 0 }}
{{- $enabled := (index ($root.Values.bundled | default dict) (index . 1) | default dict).enabled }}
{{- if kindIs "bool" $enabled }}{{ ternary "true" "" $enabled }}{{ else }}{{ include "affirm-worker.noValues" $root }}{{ end }}
{{- end }}

{{- define "affirm-worker.bundledPostgres" -}}
{{- include "affirm-worker.isBundled" (list . "postgres") }}
{{- end }}

{{- define "affirm-worker.bundledStorage" -}}
{{- $bundled := include "affirm-worker.isBundled" (list . "storage") }}
{{- if and $bundled (or .Values.storage.s3.bucket .Values.storage.s3.endpoint (ne .Values.storage.type "s3")) }}
{{- fail "bundled.storage.enabled is for an installation without a storage of its own: leave storage.type, storage.s3.bucket and storage.s3.endpoint as they are, or set bundled.storage.enabled to false" }}
{{- end }}
{{- $bundled }}
{{- end }}

{{/* Whether the HTTP API is served. `auto` is with the bundled Postgres: there nobody has to make a login for it. */}}
{{- define "affirm-worker.apiEnabled" -}}
{{- $enabled := (.Values.api).enabled }}
{{- if kindIs "bool" $enabled }}{{ ternary "true" "" $enabled }}{{ else if eq ($enabled | toString) "auto" }}{{ include "affirm-worker.bundledPostgres" . }}{{ end }}
{{- end }}

{{- define "affirm-worker.postgresName" -}}
{{- include "affirm-worker.fullname" . }}-postgres
{{- end }}

{{- define "affirm-worker.storageName" -}}
{{- include "affirm-worker.fullname" . }}-storage
{{- end }}

{{/* The Secret with the URLs of the database. */}}
{{- define "affirm-worker.databaseSecret" -}}
{{- .Values.database.existingSecret | default (ternary (include "affirm-worker.postgresName" .) "affirm-worker" (eq (include "affirm-worker.bundledPostgres" .) "true")) }}
{{- end }}

{{/* The Secret with the keys of the storage; empty if there is none. */}}
{{- define "affirm-worker.storageSecret" -}}
{{- .Values.storage.existingSecret | default (ternary (include "affirm-worker.storageName" .) "" (eq (include "affirm-worker.bundledStorage" .) "true")) }}
{{- end }}

{{/* Labels of a bundled server. Take a list: the root, the component. */}}
{{- define "affirm-worker.componentSelectorLabels" -}}
{{- include "affirm-worker.selectorLabels" (index . 0) | replace "component: controller" (printf "component: %s" (index . 1)) }}
{{- end }}

{{- define "affirm-worker.componentLabels" -}}
{{- include "affirm-worker.labels" (index . 0) | replace "component: controller" (printf "component: %s" (index . 1)) }}
{{- end }}

{{/* What a bundled server and the controller that waits for it agree on: host:port of each. */}}
{{- define "affirm-worker.bundledServers" -}}
{{- $servers := list }}
{{- if include "affirm-worker.bundledPostgres" . }}
{{- $servers = append $servers (printf "%s:5432" (include "affirm-worker.postgresName" .)) }}
{{- end }}
{{- if include "affirm-worker.bundledStorage" . }}
{{- $servers = append $servers (printf "%s:7070" (include "affirm-worker.storageName" .)) }}
{{- end }}
{{- join " " $servers }}
{{- end }}

{{/*
An init container that ends when the bundled servers answer: a command that fails until then would be started again
after 10, 20, 40 … seconds.
*/}}
{{- define "affirm-worker.waitForBundled" -}}
{{- with include "affirm-worker.bundledServers" . -}}
- name: wait
  image: {{ include "affirm-worker.image" (dict "image" $.Values.image "appVersion" $.Chart.AppVersion "global" $.Values.global) }}
  imagePullPolicy: {{ $.Values.image.pullPolicy }}
  command: [python3, -c]
  args:
    - |
      {{- $.Files.Get "files/bundled/wait.py" | trim | nindent 6 }}
  env:
    - name: WAIT_FOR
      value: {{ . | quote }}
  resources:
    {{- toYaml $.Values.controller.resources | nindent 4 }}
  securityContext:
    {{- include "affirm-worker.securityContext" $.Values.controller.securityContext | nindent 4 }}
{{- end }}
{{- end }}

{{/* Who may reach a bundled server: the pods of this release, and runners. Takes a list: the root, the component, the port. */}}
{{- define "affirm-worker.bundledNetworkPolicy" -}}
{{- $root := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "affirm-worker.fullname" $root }}-{{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "affirm-worker.componentLabels" (list $root (index . 1)) | nindent 4 }}
  {{- include "affirm-worker.annotations" (dict "root" $root) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "affirm-worker.componentSelectorLabels" (list $root (index . 1)) | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - ports:
        - port: {{ index . 2 }}
          protocol: TCP
      from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {{ include "affirm-worker.name" $root }}
              app.kubernetes.io/instance: {{ $root.Release.Name }}
            matchExpressions:
              - {key: app.kubernetes.io/component, operator: In, values: [controller, api, test]}
        - podSelector:
            matchLabels:
              app: affirm-parser
{{- end }}

{{/*
Passwords are made once. `lookup` finds those of the cluster; where it cannot (helm template, and whatever is built on
it) every rendering makes others, so there the Secret is to be the user's own.
Takes a list: the root, the name of the Secret.
*/}}
{{- define "affirm-worker.keptData" -}}
{{- $root := index . 0 }}
{{- get (lookup "v1" "Secret" $root.Release.Namespace (index . 1) | default dict) "data" | default dict | toYaml }}
{{- end }}

{{/*
Refuses an upgrade that would leave the data of a release behind. What it had is on its ConfigMap; releases of older
charts have nothing there, and had nothing bundled. Without a cluster, as with --dry-run=client, nothing is known.
*/}}
{{- define "affirm-worker.bundledServersOf" -}}
{{- $bundled := list }}
{{- if include "affirm-worker.bundledPostgres" . }}{{ $bundled = append $bundled "postgres" }}{{ end }}
{{- if include "affirm-worker.bundledStorage" . }}{{ $bundled = append $bundled "storage" }}{{ end }}
{{- join "," $bundled }}
{{- end }}

{{- define "affirm-worker.refuseMoves" -}}
{{- $there := lookup "v1" "ConfigMap" .Release.Namespace (include "affirm-worker.fullname" .) }}
{{- if and .Release.IsUpgrade $there (not (.Values.bundled).allowChange) }}
{{- $before := splitList "," (dig "metadata" "annotations" "affirm.dev/bundled" "" $there) }}
{{- $now := splitList "," (include "affirm-worker.bundledServersOf" .) }}
{{- if and (has "postgres" $before) (not (has "postgres" $now)) }}
{{- fail "this release has the bundled Postgres, and these values name another database: its rows do not come along. Move them (docs/chart-no-values.md), then upgrade once with --set bundled.allowChange=true" }}
{{- end }}
{{- if and (has "postgres" $now) (not (has "postgres" $before)) }}
{{- fail "this release has a database of its own, and these values name none: it would begin anew in a bundled Postgres. Set database.existingSecret and the storage again (helm upgrade --reset-then-reuse-values keeps them), or upgrade once with --set bundled.allowChange=true" }}
{{- end }}
{{- if and (has "storage" $before) (not (has "storage" $now)) }}
{{- fail "this release has the bundled storage, and these values name another one: its files do not come along. Move them (docs/chart-no-values.md), then upgrade once with --set bundled.allowChange=true" }}
{{- end }}
{{- if and (has "storage" $now) (not (has "storage" $before)) }}
{{- fail "this release has a storage of its own, and these values name none: the files there could not be read any more. Set storage again (helm upgrade --reset-then-reuse-values keeps it), or upgrade once with --set bundled.allowChange=true" }}
{{- end }}
{{- end }}
{{- end }}
