{{/*
The definition of ParserPools that the cluster has, where this release may look for it: empty if there is none, or if there
is no cluster. And whether it is this release's own.
*/}}
{{- define "affirm-worker.definition" -}}
{{- $crd := .Files.Get "files/parserpools.yaml" | fromYaml }}
{{- lookup $crd.apiVersion $crd.kind "" $crd.metadata.name | default dict | toJson }}
{{- end }}

{{- define "affirm-worker.ownsDefinition" -}}
{{- $owner := dig "metadata" "annotations" dict .definition }}
{{- if and (eq (get $owner "meta.helm.sh/release-name") .Release.Name) (eq (get $owner "meta.helm.sh/release-namespace") .Release.Namespace) }}yes{{ end }}
{{- end }}

{{/* Names. */}}
{{- define "affirm-worker.name" -}}
{{- .Values.nameOverride | default .Chart.Name }}
{{- end }}

{{- define "affirm-worker.fullname" -}}
{{- $name := include "affirm-worker.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "affirm-worker.serviceAccountName" -}}
{{- $account := .Values.serviceAccount }}
{{- if and (not $account.create) (has $account.name (list "" "default")) }}
{{- include "affirm-worker.refuse" "serviceAccount.name is needed with serviceAccount.create false, and not default: the controller's rights would be those of every pod that names no service account" }}
{{- end }}
{{- $account.name | default (include "affirm-worker.fullname" .) }}
{{- end }}

{{- define "affirm-worker.runnerServiceAccountName" -}}
{{- $account := .Values.runner.serviceAccount }}
{{- $account.name | default (ternary (printf "%s-runner" (include "affirm-worker.fullname" .)) "default" $account.create) }}
{{- end }}

{{- define "affirm-worker.apiName" -}}
{{- include "affirm-worker.fullname" . }}-api
{{- end }}

{{- define "affirm-worker.apiServiceAccountName" -}}
{{- $account := .Values.api.serviceAccount }}
{{- $name := $account.name | default (ternary (include "affirm-worker.apiName" .) "default" $account.create) }}
{{- if eq $name (include "affirm-worker.serviceAccountName" .) }}
{{- include "affirm-worker.refuse" "api.serviceAccount.name must not be the controller's: the API serves people, and needs no right of Kubernetes" }}
{{- end }}
{{- $name }}
{{- end }}

{{/* Labels. */}}
{{- define "affirm-worker.selectorLabels" -}}
app.kubernetes.io/name: {{ include "affirm-worker.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "affirm-worker.labels" -}}
{{- $own := include "affirm-worker.selectorLabels" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $own "app.kubernetes.io/part-of" "affirm-name" }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- mergeOverwrite (dict) (.Values.commonLabels | default dict) $own | toYaml }}
{{- end }}

{{- define "affirm-worker.apiSelectorLabels" -}}
{{ include "affirm-worker.selectorLabels" . | replace "component: controller" "component: api" }}
{{- end }}

{{- define "affirm-worker.apiLabels" -}}
{{ include "affirm-worker.labels" . | replace "component: controller" "component: api" }}
{{- end }}

{{/* The annotations of an object, or nothing. Takes a dict: root, more (those of this object, which win). */}}
{{- define "affirm-worker.annotations" -}}
{{- with mergeOverwrite (dict) (.root.Values.commonAnnotations | default dict) (.more | default dict) -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
An image by digest or tag. Takes a dict: image, appVersion, global (of the values), and home: the registry where it is
published, if it is.
*/}}
{{- define "affirm-worker.image" -}}
{{- $name := .image.repository }}
{{- with .image.registry | default (.global).imageRegistry | default .home }}
{{- $name = printf "%s/%s" . $name }}
{{- end }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (.image.tag | default .appVersion) }}
{{- end }}
{{- end }}

{{/* Names of the pull secrets: those of the chart that this one is a part of, and its own. */}}
{{- define "affirm-worker.pullSecrets" -}}
{{- $names := list }}
{{- range concat ((.Values.global).imagePullSecrets | default list) (.Values.imagePullSecrets | default list) }}
{{- $names = append $names (ternary . (get (ternary (dict) . (kindIs "string" .)) "name") (kindIs "string" .)) }}
{{- end }}
{{- uniq $names | toYaml }}
{{- end }}

{{/* The last variable of each name: `helm upgrade` refuses two, or keeps the wrong one. Takes YAML. */}}
{{- define "affirm-worker.lastOfEachName" -}}
{{- $kept := list }}
{{- $seen := dict }}
{{- range . | fromYamlArray | reverse }}
{{- if not (hasKey $seen .name) }}
{{- $_ := set $seen .name true }}
{{- $kept = prepend $kept . }}
{{- end }}
{{- end }}
{{- toYaml $kept }}
{{- end }}

{{/* A map without the keys that are null: how Helm hands these on differs by its version. */}}
{{- define "affirm-worker.given" -}}
{{- $given := dict }}
{{- range $key, $value := . }}
{{- if not (kindIs "invalid" $value) }}
{{- $_ := set $given $key $value }}
{{- end }}
{{- end }}
{{- toYaml $given }}
{{- end }}

{{/*
Stops where values of an older chart, which `helm upgrade --reuse-values` brings, switch on something that they have no
defaults for. Takes a dict: name, section, and a key that it always has.
*/}}
{{- define "affirm-worker.hasDefaults" -}}
{{- if not (hasKey .section .key) }}
{{- fail (printf "%s.enabled: these values are of an older chart and have no defaults for it; upgrade with --reset-then-reuse-values in the place of --reuse-values" .name) }}
{{- end }}
{{- end }}

{{/*
Security contexts. Values of a chart that had none, which `helm upgrade --reuse-values` brings, get those that it wrote
into its pods itself: the restricted ones of values.yaml.
*/}}
{{- define "affirm-worker.podSecurityContext" -}}
{{- if kindIs "invalid" . -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- else }}
{{- include "affirm-worker.given" . }}
{{- end }}
{{- end }}

{{- define "affirm-worker.securityContext" -}}
{{- if kindIs "invalid" . -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- else }}
{{- include "affirm-worker.given" . }}
{{- end }}
{{- end }}

{{/* An environment variable from a Secret. Takes a dict: name, secret, key. */}}
{{- define "affirm-worker.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}

{{/* What controller and runners have in common: where tables and files are, and how to log. */}}
{{- define "affirm-worker.commonEnv" -}}
{{- $storage := .Values.storage -}}
- name: DATABASE_SCHEMA
  value: {{ .Values.database.schema | default "affirm" | quote }}
{{- with .Values.database.sslMode }}
- name: PGSSLMODE
  value: {{ . }}
{{- end }}
{{- if or .Values.database.caSecret .Values.database.caConfigMap }}
- name: PGSSLROOTCERT
  value: /etc/affirm-worker-ca/ca.crt
{{- end }}
- name: STORAGE_TYPE
  value: {{ $storage.type }}
{{- if include "affirm-worker.bundledStorage" . }}
- name: STORAGE_S3_BUCKET
  value: datasets
- name: STORAGE_S3_REGION
  value: us-east-1
- name: STORAGE_S3_ENDPOINT
  value: http://{{ include "affirm-worker.storageName" . }}:7070
{{- else if eq $storage.type "s3" }}
- name: STORAGE_S3_BUCKET
  value: {{ $storage.s3.bucket | quote }}
{{- with $storage.s3.region }}
- name: STORAGE_S3_REGION
  value: {{ . | quote }}
{{- end }}
{{- with $storage.s3.endpoint }}
- name: STORAGE_S3_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if eq $storage.type "s3" }}
{{- with $storage.s3.prefix }}
- name: STORAGE_S3_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- with include "affirm-worker.storageSecret" $ }}
{{ include "affirm-worker.secretEnv" (dict "name" "AWS_ACCESS_KEY_ID" "secret" . "key" "AWS_ACCESS_KEY_ID") }}
{{ include "affirm-worker.secretEnv" (dict "name" "AWS_SECRET_ACCESS_KEY" "secret" . "key" "AWS_SECRET_ACCESS_KEY") }}
{{- end }}
{{- else }}
- name: STORAGE_PATH
  value: {{ $storage.path | quote }}
{{- end }}
{{- range $name, $limit := .Values.limits }}
- name: LIMIT_{{ $name | snakecase | upper }}
  value: {{ $limit | int64 | toString | quote }}
{{- end }}
- name: LOG_LEVEL
  value: {{ .Values.log.level }}
{{- end }}

{{- define "affirm-worker.controllerEnv" -}}
{{- $database := .Values.database -}}
{{ include "affirm-worker.secretEnv" (dict "name" "DATABASE_URL" "secret" (include "affirm-worker.databaseSecret" .) "key" (.databaseUrlKey | default $database.urlKey)) }}
{{- with $database.runnerUrlKey }}
{{ include "affirm-worker.secretEnv" (dict "name" "RUNNER_DATABASE_URL" "secret" (include "affirm-worker.databaseSecret" $) "key" .) }}
{{- end }}
{{- with $database.directUrlKey }}
{{ include "affirm-worker.secretEnv" (dict "name" "DATABASE_DIRECT_URL" "secret" (include "affirm-worker.databaseSecret" $) "key" .) }}
{{- end }}
{{- if not (kindIs "invalid" $database.maxConnections) }}
- name: DATABASE_MAX_CONNECTIONS
  value: {{ $database.maxConnections | int64 | quote }}
{{- end }}
{{ include "affirm-worker.commonEnv" . }}
- name: LOG_FORMAT
  value: {{ .Values.log.format }}
- name: POOL
  value: {{ .Values.pool.name | quote }}
{{- if not (kindIs "invalid" .Values.pool.maxParallelism) }}
- name: POOL_MAX_PARALLELISM
  value: {{ .Values.pool.maxParallelism | int64 | quote }}
{{- end }}
{{- if not (kindIs "invalid" .Values.pool.maxPending) }}
- name: POOL_MAX_PENDING
  value: {{ .Values.pool.maxPending | int64 | quote }}
{{- end }}
{{- if include "affirm-worker.makesPool" . }}
- name: POOL_MAKE_PARSER_POOL
  value: "true"
{{- end }}
- name: WORKER_POLL_INTERVAL
  value: {{ .Values.worker.pollInterval | quote }}
- name: WORKER_MAX_RETRIES
  value: {{ .Values.worker.maxRetries | int64 | quote }}
- name: WORKER_RETRY_WAITS
  value: {{ .Values.worker.retryWaits | quote }}
- name: WORKER_START_DEADLINE
  value: {{ .Values.worker.startDeadline | quote }}
- name: WORKER_RETENTION
  value: {{ .Values.worker.retention | quote }}
- name: WORKER_CONTROLLER_NAME
  value: {{ include "affirm-worker.fullname" . }}
- name: HEALTH_PORT
  value: "8080"
- name: RUNNER_CONFIG
  value: /etc/affirm-worker/runner.json
- name: NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: WORKER_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: WORKER_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
{{- with .Values.controller.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "affirm-worker.apiEnv" -}}
{{- $database := .Values.database -}}
{{- $api := .Values.api -}}
{{ include "affirm-worker.secretEnv" (dict "name" "DATABASE_URL" "secret" (include "affirm-worker.databaseSecret" .) "key" ($database.apiUrlKey | default $database.urlKey)) }}
{{ include "affirm-worker.commonEnv" . }}
- name: LOG_FORMAT
  value: {{ .Values.log.format }}
- name: POOL
  value: {{ .Values.pool.name | quote }}
- name: WORKER_MAX_RETRIES
  value: {{ .Values.worker.maxRetries | int64 | quote }}
- name: API_LISTEN
  value: "0.0.0.0:8080"
- name: API_METRICS_PORT
  value: "8081"
- name: API_SPOOL_DIR
  value: /var/spool/affirm-worker
- name: API_UPLOADS_AT_ONCE
  value: {{ $api.uploadsAtOnce | int64 | quote }}
- name: API_MAX_CONNECTIONS
  value: {{ $api.maxConnections | int64 | quote }}
- name: API_REQUESTS_PER_MINUTE
  value: {{ $api.requestsPerMinute | int64 | quote }}
- name: API_VALIDATE_DEADLINE
  value: {{ $api.validateDeadline | quote }}
- name: API_READ_ONLY
  value: {{ $api.readOnly | quote }}
- name: API_PUBLIC_NAMES
  value: {{ $api.publicNames | quote }}
{{- with $api.trustedProxies }}
- name: API_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- with $api.proxyRoles }}
{{- $roles := list }}
{{- range $group, $role := . }}
{{- $roles = append $roles (printf "%s=%s" $group $role) }}
{{- end }}
- name: API_PROXY_ROLES
  value: {{ join "," $roles | quote }}
{{- end }}
{{- with $api.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Whether the controller makes a ParserPool of its pool, once. */}}
{{- define "affirm-worker.makesPool" -}}
{{- if and (eq (.Values.pool.parserPool | toString) "auto") (.Values.crds).install }}{{ include "affirm-worker.bundledPostgres" . }}{{ end }}
{{- end }}

{{/* What the API's files may take while it receives them. 512 is the program's own limit of a file. */}}
{{- define "affirm-worker.apiSpool" -}}
{{- mul .Values.api.uploadsAtOnce ((.Values.limits).fileMib | default 512) }}Mi
{{- end }}

{{- define "affirm-worker.runnerEnv" -}}
{{- $database := .Values.database -}}
{{ include "affirm-worker.secretEnv" (dict "name" "DATABASE_URL" "secret" (include "affirm-worker.databaseSecret" .) "key" ($database.runnerUrlKey | default $database.urlKey)) }}
{{ include "affirm-worker.commonEnv" . }}
{{- with .Values.runner.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The CA of the database, if there is one. */}}
{{- define "affirm-worker.caVolumes" -}}
{{- $items := list (dict "key" (.Values.database.caKey | default "ca.crt") "path" "ca.crt") }}
{{- with .Values.database.caSecret }}
- name: database-ca
  secret: {{ dict "secretName" . "items" $items | toJson }}
{{- end }}
{{- with .Values.database.caConfigMap }}
- name: database-ca
  configMap: {{ dict "name" . "items" $items | toJson }}
{{- end }}
{{- end }}

{{- define "affirm-worker.caMounts" -}}
{{- if or .Values.database.caSecret .Values.database.caConfigMap }}
- name: database-ca
  mountPath: /etc/affirm-worker-ca
  readOnly: true
{{- end }}
{{- end }}

{{/* The claim with the files, where there is one. Takes a dict: storage, readOnly. */}}
{{- define "affirm-worker.storageVolumes" -}}
{{- if and (eq .storage.type "local") .storage.local.existingClaim }}
- name: storage
  persistentVolumeClaim:
    claimName: {{ .storage.local.existingClaim }}
    {{- if .readOnly }}
    readOnly: true
    {{- end }}
{{- end }}
{{- end }}

{{- define "affirm-worker.storageMounts" -}}
{{- if and (eq .storage.type "local") .storage.local.existingClaim }}
- name: storage
  mountPath: {{ .storage.path }}
  {{- if .readOnly }}
  readOnly: true
  {{- end }}
{{- end }}
{{- end }}

{{/* How the controller makes runner pods; the controller reads it at its start. */}}
{{- define "affirm-worker.runnerConfig" -}}
{{- $runner := .Values.runner }}
{{- $storage := dict "storage" .Values.storage "readOnly" true }}
{{- $volumes := concat (include "affirm-worker.storageVolumes" $storage | fromYamlArray) (include "affirm-worker.caVolumes" . | fromYamlArray) }}
{{- $mounts := concat (include "affirm-worker.storageMounts" $storage | fromYamlArray) (include "affirm-worker.caMounts" . | fromYamlArray) }}
{{- dict
  "image" (include "affirm-worker.image" (dict "image" $runner.image "appVersion" .Chart.AppVersion "global" .Values.global))
  "imagePullPolicy" $runner.image.pullPolicy
  "imagePullSecrets" (include "affirm-worker.pullSecrets" . | fromYamlArray)
  "serviceAccountName" (include "affirm-worker.runnerServiceAccountName" .)
  "resources" $runner.resources
  "memoryCeiling" ($runner.memoryCeiling | default "" | toString)
  "deadlineSeconds" $runner.deadlineSeconds
  "env" (include "affirm-worker.lastOfEachName" (include "affirm-worker.runnerEnv" .) | fromYamlArray)
  "envFrom" $runner.extraEnvFrom
  "nodeSelector" $runner.nodeSelector
  "tolerations" $runner.tolerations
  "affinity" $runner.affinity
  "priorityClassName" $runner.priorityClassName
  "volumes" (concat $volumes $runner.extraVolumes | default list)
  "volumeMounts" (concat $mounts $runner.extraVolumeMounts | default list)
  "labels" (mergeOverwrite (dict) (.Values.commonLabels | default dict) ($runner.podLabels | default dict) (dict "app.kubernetes.io/instance" .Release.Name))
  "annotations" (mergeOverwrite (dict) (.Values.commonAnnotations | default dict) ($runner.podAnnotations | default dict))
  "podSecurityContext" (include "affirm-worker.podSecurityContext" $runner.podSecurityContext | fromYaml)
  "securityContext" (include "affirm-worker.securityContext" $runner.securityContext | fromYaml)
  "podTemplate" ($runner.podTemplate | default dict)
  "allowed" ($runner.allowed | default dict)
  | toPrettyJson }}
{{- end }}

{{/* What the controller's containers have in common, whichever command they run. */}}
{{- define "affirm-worker.controllerContainer" -}}
image: {{ include "affirm-worker.image" (dict "image" .Values.image "appVersion" .Chart.AppVersion "global" .Values.global) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "affirm-worker.lastOfEachName" (include "affirm-worker.controllerEnv" .) | nindent 2 }}
resources:
  {{- toYaml .Values.controller.resources | nindent 2 }}
securityContext:
  {{- include "affirm-worker.securityContext" .Values.controller.securityContext | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: runner-config
    mountPath: /etc/affirm-worker
    readOnly: true
  {{- include "affirm-worker.storageMounts" (dict "storage" .Values.storage "readOnly" false) | nindent 2 }}
  {{- include "affirm-worker.caMounts" . | nindent 2 }}
  {{- with .Values.controller.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
