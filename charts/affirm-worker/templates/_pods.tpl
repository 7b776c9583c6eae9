{{/*
What Deployments and their pods have by values. A key that an older chart did not know may be missing from the values:
`helm upgrade --reuse-values` keeps those of the release.
*/}}

{{/* How a Deployment replaces its pods. Takes the values of controller or API. */}}
{{- define "affirm-worker.rollout" -}}
strategy:
  {{- .strategy | default (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxSurge" 1 "maxUnavailable" 0)) | toYaml | nindent 2 }}
{{- if not (kindIs "invalid" .revisionHistoryLimit) }}
revisionHistoryLimit: {{ .revisionHistoryLimit | int64 }}
{{- end }}
{{- end }}

{{/* Where and how pods run. Takes a dict: of (the values of controller or API), selector (labels of their pods). */}}
{{- define "affirm-worker.podOptions" -}}
{{- $of := .of }}
{{- $spread := $of.topologySpreadConstraints | default (list (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway")) -}}
topologySpreadConstraints:
  {{- range $spread }}
  - {{- ternary . (set (deepCopy .) "labelSelector" (dict "matchLabels" $.selector)) (hasKey . "labelSelector") | toYaml | nindent 4 }}
  {{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" "dnsPolicy" "dnsConfig" "hostAliases" }}
{{- with get $of $field }}
{{ dict $field . | toYaml }}
{{- end }}
{{- end }}
{{- if not (kindIs "invalid" $of.hostUsers) }}
hostUsers: {{ $of.hostUsers }}
{{- end }}
{{- end }}

{{/* The probes of a container. Takes a dict: of (the values of controller or API), port (its name). */}}
{{- define "affirm-worker.probes" -}}
{{- $start := dict "path" "/healthz" "own" (dict "periodSeconds" 2 "failureThreshold" 60) }}
{{- $live := dict "path" "/healthz" "own" (dict "periodSeconds" 10 "timeoutSeconds" 5 "failureThreshold" 6) }}
{{- $ready := dict "path" "/readyz" "own" (dict "periodSeconds" 5 "timeoutSeconds" 5 "failureThreshold" 3) }}
{{- $probes := dict "startupProbe" $start "livenessProbe" $live "readinessProbe" $ready }}
{{- range $name, $probe := $probes }}
{{- $get := dict "httpGet" (dict "path" $probe.path "port" $.port) }}
{{ $name }}:
  {{- mergeOverwrite $get $probe.own (get $.of $name | default dict) | toYaml | nindent 2 }}
{{- end }}
{{- end }}

{{/* How many pods a drain of nodes may take away. Takes the values of controller or API. */}}
{{- define "affirm-worker.disruptions" -}}
{{- $budget := .podDisruptionBudget | default dict }}
{{- if not (kindIs "invalid" $budget.minAvailable) -}}
minAvailable: {{ $budget.minAvailable }}
{{- else -}}
maxUnavailable: {{ ternary 1 $budget.maxUnavailable (kindIs "invalid" $budget.maxUnavailable) }}
{{- end }}
# A pod that is not ready serves nobody: a drain need not wait for it.
unhealthyPodEvictionPolicy: AlwaysAllow
{{- end }}
