{{/*
What the schema cannot say, or only in words that help nobody: names, sizes, times, and places that collide. Each
message says what, where and what to do.
*/}}

{{/*
Ends the rendering with a sentence. `helm lint` prints what `fail` says and goes on; a template that is not there ends
that too, in the same words.
*/}}
{{- define "affirm-worker.refuse" -}}
{{- fail . }}{{ include . . }}
{{- end }}

{{/* All of them. validate.yaml comes first when Helm renders, so that nothing else meets what they refuse. */}}
{{- define "affirm-worker.checks" -}}
{{- if eq (toString .Values.enabled) "false" }}
{{- include "affirm-worker.refuse" "enabled: false means something to a chart that has this one as a dependency with `condition: affirm-worker.enabled`, and nothing here: uninstall the release instead, or leave it out" }}
{{- end }}
{{- include "affirm-worker.checkGiven" . }}
{{- include "affirm-worker.checkNames" . }}
{{- include "affirm-worker.checkTimes" . }}
{{- include "affirm-worker.checkNumbers" . }}
{{- include "affirm-worker.checkStorage" . }}
{{- include "affirm-worker.checkDatabase" . }}
{{- include "affirm-worker.checkSizes" . }}
{{- include "affirm-worker.checkVolumes" . }}
{{- include "affirm-worker.checkPodTemplate" . }}
{{- end }}

{{/* A null takes a default away. A value that an older chart did not know may be missing, and is none of these. */}}
{{- define "affirm-worker.checkGiven" -}}
{{- $needed := list
  "image" "image.repository" "image.pullPolicy" "database" "database.existingSecret" "database.urlKey"
  "storage" "storage.type" "storage.s3" "storage.local" "storage.path" "pool" "pool.name"
  "worker" "worker.pollInterval" "worker.maxRetries" "worker.retryWaits" "log" "log.level" "log.format"
  "rbac" "rbac.create" "serviceAccount" "serviceAccount.create"
  "controller" "controller.replicas" "controller.resources" "controller.terminationGracePeriodSeconds"
  "runner" "runner.image" "runner.image.repository" "runner.image.pullPolicy" "runner.resources"
  "runner.deadlineSeconds" "runner.serviceAccount" "runner.serviceAccount.create" }}
{{- if include "affirm-worker.apiEnabled" . }}
{{- if not (hasKey .Values.api "replicas") }}
{{- include "affirm-worker.refuse" "api.enabled: these values are of an older chart and have no defaults for it; upgrade with --reset-then-reuse-values in the place of --reuse-values" }}
{{- end }}
{{- $needed = concat $needed (list
  "api.replicas" "api.maxConnections" "api.uploadsAtOnce" "api.requestsPerMinute" "api.validateDeadline" "api.resources"
  "api.readOnly" "api.publicNames" "api.service" "api.service.type" "api.service.port" "api.ingress" "api.httpRoute"
  "api.networkPolicy" "api.serviceAccount" "api.serviceAccount.create" "api.terminationGracePeriodSeconds") }}
{{- end }}
{{- range $path := $needed }}
{{- $here := $.Values }}
{{- range $key := splitList "." $path }}
{{- $here = ternary (index $here $key) nil (hasKey $here $key) }}
{{- if kindIs "invalid" $here }}
{{- include "affirm-worker.refuse" (printf "%s is null, and has no default then: leave it out, or give it a value" $path) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Names of objects are made of these: 50 characters leave room for what is added, and a Service takes no dot. */}}
{{- define "affirm-worker.checkNames" -}}
{{- range $field := list "nameOverride" "fullnameOverride" }}
{{- with get $.Values $field }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$" .) }}
{{- include "affirm-worker.refuse" (printf "%s: %q makes no name of a Service: at most 50 lower-case letters, digits and hyphens, a letter first and no hyphen last" $field .) }}
{{- end }}
{{- end }}
{{- end }}
{{- $full := include "affirm-worker.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$" $full) }}
{{- include "affirm-worker.refuse" (printf "%q, made of the name of the release, makes no name of a Service: set fullnameOverride to lower-case letters, digits and hyphens, a letter first" $full) }}
{{- end }}
{{- end }}

{{/* Seconds of a duration like 1m30s. */}}
{{- define "affirm-worker.seconds" -}}
{{- $sum := 0.0 }}
{{- range regexFindAll "[0-9.]+(ms|s|m|h|d)" . -1 }}
{{- $unit := regexFind "[a-z]+" . }}
{{- $sum = addf $sum (mulf (float64 (trimSuffix $unit .)) (get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0) $unit)) }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* The bounds are those of the settings. */}}
{{- define "affirm-worker.checkTimes" -}}
{{- $times := list
  (list "worker.pollInterval" .Values.worker.pollInterval "50ms" "1h")
  (list "worker.startDeadline" .Values.worker.startDeadline "10s" "24h")
  (list "worker.retention" .Values.worker.retention "1h" "3650d") }}
{{- range splitList "," .Values.worker.retryWaits }}
{{- $times = append $times (list "worker.retryWaits" . "0s" "7d") }}
{{- end }}
{{- if include "affirm-worker.apiEnabled" . }}
{{- $times = append $times (list "api.validateDeadline" .Values.api.validateDeadline "1s" "1h") }}
{{- end }}
{{- range $times }}
{{- $given := index . 1 }}
{{- if $given }}
{{- $seconds := include "affirm-worker.seconds" $given | float64 }}
{{- $least := include "affirm-worker.seconds" (index . 2) | float64 }}
{{- $most := include "affirm-worker.seconds" (index . 3) | float64 }}
{{- if or (lt $seconds $least) (gt $seconds $most) }}
{{- include "affirm-worker.refuse" (printf "%s: %s is out of bounds: a duration from %s to %s is needed" (index . 0) $given (index . 2) (index . 3)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The same for whole numbers, of which the schema would write 3.1536×10⁰⁷. */}}
{{- define "affirm-worker.checkNumbers" -}}
{{- $most := dict "fileMib" 1048576 "zipMembers" 1000000 "unpackedMib" 1048576 "unpackedRatio" 1000000
  "workbookMemoryMib" 1048576 "rows" 1000000000 "cellChars" 100000000 "nameChars" 1000 "cpuSeconds" 31536000 }}
{{- $numbers := list (list "runner.deadlineSeconds" .Values.runner.deadlineSeconds 31536000) }}
{{- range $name, $limit := .Values.limits }}
{{- $numbers = append $numbers (list (printf "limits.%s" $name) $limit (get $most $name)) }}
{{- end }}
{{- range $numbers }}
{{- if gt (index . 1 | int64) (index . 2 | int64) }}
{{- include "affirm-worker.refuse" (printf "%s: %d is out of bounds: a whole number from 1 to %d is needed" (index . 0) (index . 1 | int64) (index . 2 | int64)) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "affirm-worker.checkStorage" -}}
{{- $storage := .Values.storage }}
{{- if and (eq $storage.type "s3") (not $storage.s3.bucket) (not (include "affirm-worker.bundledStorage" .)) }}
{{- include "affirm-worker.refuse" "storage.s3.bucket is needed with storage.type s3: the bucket that holds the uploaded files" }}
{{- end }}
{{- if and (eq $storage.type "local") (not $storage.local.existingClaim) (not .Values.runner.extraVolumeMounts) }}
{{- include "affirm-worker.refuse" "storage.local.existingClaim is needed with storage.type local: a claim that controller and runners mount (or mount one by runner.extraVolumes and runner.extraVolumeMounts)" }}
{{- end }}
{{- $parts := list "storage.s3.prefix" "names with slashes between them" $storage.s3.prefix }}
{{- range list $parts (list "storage.path" "an absolute path" $storage.path) }}
{{- $given := index . 2 | default "" }}
{{- $inside := trimAll "/" $given }}
{{- if or (regexMatch "[[:cntrl:]]" $given) (and $inside (regexMatch "(^|/)[.]{0,2}(/|$)" $inside)) }}
{{- include "affirm-worker.refuse" (printf "%s: %q leads nowhere: it has to be %s, without . and .. and control characters such as a newline" (index . 0) $given (index . 1)) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "affirm-worker.checkDatabase" -}}
{{- if and .Values.database.caSecret .Values.database.caConfigMap }}
{{- include "affirm-worker.refuse" "database.caSecret and database.caConfigMap are both given: leave one of them empty" }}
{{- end }}
{{- if and (hasPrefix "verify-" (.Values.database.sslMode | default "")) (not (or .Values.database.caSecret .Values.database.caConfigMap)) }}
{{- include "affirm-worker.refuse" (printf "database.sslMode: %s needs the CA that has signed the server's certificate: name it by database.caSecret or database.caConfigMap. With sslrootcert in the URLs, write sslmode there too, and leave this empty" .Values.database.sslMode) }}
{{- end }}
{{- end }}

{{/* A quantity as a number, or nothing if it is none: 512Mi, 1.5, 250m, 2e9. Kubernetes takes none from 2^63 on. */}}
{{- define "affirm-worker.quantity" -}}
{{- $given := toString . }}
{{- if regexMatch "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?$" $given }}
{{- $number := regexFind "^[+]?[0-9.]+([eE][+-]?[0-9]+)?" $given }}
{{- $factors := dict "" 1.0 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
  "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 }}
{{- $value := mulf (float64 $number) (get $factors (trimPrefix $number $given)) }}
{{- if lt (float64 $value) 9223372036854775808.0 }}
{{- $value }}
{{- end }}
{{- end }}
{{- end }}

{{- define "affirm-worker.checkSizes" -}}
{{- $of := dict "controller" .Values.controller "runner" .Values.runner }}
{{- if include "affirm-worker.apiEnabled" . }}
{{- $_ := set $of "api" .Values.api }}
{{- end }}
{{- range $name, $values := $of }}
{{- $resources := $values.resources }}
{{- range $kind := list "requests" "limits" }}
{{- range $resource, $given := get $resources $kind | default dict }}
{{- if and (not (kindIs "invalid" $given)) (eq (include "affirm-worker.quantity" $given) "") }}
{{- include "affirm-worker.refuse" (printf "%s.resources.%s.%s: %v is no quantity, such as 500m or 512Mi" $name $kind $resource $given) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $resource, $limit := $resources.limits | default dict }}
{{- $request := get ($resources.requests | default dict) $resource }}
{{- if and $request $limit }}
{{- if gt (include "affirm-worker.quantity" $request | float64) (include "affirm-worker.quantity" $limit | float64) }}
{{- include "affirm-worker.refuse" (printf "%s.resources.requests.%s: %v is more than the limit, %v: lower it, or raise the limit" $name $resource $request $limit) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $ceiling := .Values.runner.memoryCeiling | default "" | toString }}
{{- if $ceiling }}
{{- $most := include "affirm-worker.quantity" $ceiling }}
{{- if not $most }}
{{- include "affirm-worker.refuse" (printf "runner.memoryCeiling: %s is no quantity, such as 2Gi; empty: memory is never raised" $ceiling) }}
{{- end }}
{{- /* The default is no wish of anybody: a limit above it is never raised. */}}
{{- $limit := dig "limits" "memory" "" .Values.runner.resources }}
{{- if and $limit (ne $ceiling "2Gi") (lt (float64 $most) (include "affirm-worker.quantity" $limit | float64)) }}
{{- include "affirm-worker.refuse" (printf "runner.memoryCeiling: %s is below the limit, %v: raise it, or leave it empty, and memory is never raised" $ceiling $limit) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "affirm-worker.checkVolumes" -}}
{{- $storage := and (eq .Values.storage.type "local") .Values.storage.local.existingClaim }}
{{- $ca := include "affirm-worker.caMounts" . | fromYamlArray }}
{{- $of := dict
  "controller" (dict "values" .Values.controller "tmp" "/tmp" "runner-config" "/etc/affirm-worker")
  "runner" (dict "values" .Values.runner "tmp" "/tmp") }}
{{- if include "affirm-worker.apiEnabled" . }}
{{- $_ := set $of "api" (dict "values" .Values.api "tmp" "/tmp" "spool" "/var/spool/affirm-worker") }}
{{- end }}
{{- range $name, $own := $of }}
{{- $values := $own.values }}
{{- $volumes := dict }}
{{- $places := dict }}
{{- range $volume, $place := omit $own "values" }}
{{- $_ := set $volumes $volume "the chart" }}
{{- $_ := set $places $place "the chart" }}
{{- end }}
{{- if $storage }}
{{- $_ := set $volumes "storage" "storage.local" }}
{{- $_ := set $places (trimSuffix "/" $.Values.storage.path) "storage.local" }}
{{- end }}
{{- range $ca }}
{{- $_ := set $volumes .name "the CA of the database" }}
{{- $_ := set $places .mountPath "the CA of the database" }}
{{- end }}
{{- range dig "spec" "volumes" list ($values.podTemplate | default dict) }}
{{- $_ := set $volumes .name "runner.podTemplate" }}
{{- end }}
{{- range $volume := $values.extraVolumes }}
{{- with get $volumes $volume.name }}
{{- include "affirm-worker.refuse" (printf "%s.extraVolumes: the name %s is taken, by %s: take another one" $name $volume.name .) }}
{{- end }}
{{- $_ := set $volumes $volume.name "another one" }}
{{- end }}
{{- range $mount := $values.extraVolumeMounts }}
{{- $place := trimSuffix "/" $mount.mountPath }}
{{- with get $places $place }}
{{- include "affirm-worker.refuse" (printf "%s.extraVolumeMounts: something is mounted at %s already, by %s: mount %s elsewhere" $name $place . $mount.name) }}
{{- end }}
{{- if not (hasKey $volumes $mount.name) }}
{{- include "affirm-worker.refuse" (printf "%s.extraVolumeMounts: there is no volume %s: add it to %s.extraVolumes" $name $mount.name $name) }}
{{- end }}
{{- $_ := set $places $place "another one" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The pod ends with the runner's container, whose resources are raised from those of the values. */}}
{{- define "affirm-worker.checkPodTemplate" -}}
{{- range dig "spec" "containers" list (.Values.runner.podTemplate | default dict) }}
{{- if ne .name "parser-runner" }}
{{- include "affirm-worker.refuse" (printf "runner.podTemplate.spec.containers: %s may not be there, only parser-runner, since the pod ends with it: make it an entry of initContainers with restartPolicy Always" .name) }}
{{- end }}
{{- if .resources }}
{{- include "affirm-worker.refuse" "runner.podTemplate.spec.containers: the resources of parser-runner are those of runner.resources: write them there" }}
{{- end }}
{{- end }}
{{- end }}
