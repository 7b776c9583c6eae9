{{/*
Who reaches what. No rule reaches the addresses where clouds hand out credentials to whoever asks: the networks of
"affirm-worker.metadata" are left out of every CIDR, and a CIDR inside them is refused.
*/}}
{{- define "affirm-worker.metadata" -}}
v4: [169.254.0.0/16, 100.100.100.200/32, 168.63.129.16/32, 192.0.0.192/32]
v6: ["fe80::/10", "fd00:ec2::/32", "fd20:ce::/32", "64:ff9b::a9fe:0/112"]
{{- end }}

{{/* first and size of an IPv4 network, as YAML. */}}
{{- define "affirm-worker.v4" -}}
{{- $parts := regexFindAll "[0-9]+" . -1 }}
{{- $first := 0 }}
{{- range slice $parts 0 4 }}
{{- $first = add (mul 256 $first) (int64 .) }}
{{- end }}
{{- $size := 1 }}
{{- range until (sub 32 (index $parts 4 | int) | int) }}
{{- $size = mul 2 $size }}
{{- end }}
{{- dict "first" (mul $size (div $first $size)) "last" (add (mul $size (div $first $size)) $size -1) | toJson }}
{{- end }}

{{/* Whether the first of two IPv4 networks has the second one in it; empty if not. */}}
{{- define "affirm-worker.hasInIt" -}}
{{- $outer := include "affirm-worker.v4" (index . 0) | fromJson }}
{{- $inner := include "affirm-worker.v4" (index . 1) | fromJson }}
{{- if and (le $outer.first $inner.first) (ge $outer.last $inner.last) }}yes{{ end }}
{{- end }}

{{/* Refuses what is no network, and IPv6 ones too wide to judge. Takes a list: path, cidr. */}}
{{- define "affirm-worker.checkCidr" -}}
{{- $cidr := index . 1 }}
{{- if not (regexMatch "^(([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])[.]){3}([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])/([0-9]|[12][0-9]|3[0-2])$" $cidr) }}
{{- if not (regexMatch "^(::/0|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}/(3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-8]))$" $cidr) }}
{{- include "affirm-worker.refuse" (printf "%s: %s is no network: 10.1.0.0/16, 0.0.0.0/0, or of IPv6 ::/0 or one of 32 bits or more in lower case, are" (index . 0) $cidr) }}
{{- end }}
{{- end }}
{{- end }}

{{/* An IPv6 network inside those of the metadata, or of IPv4 in IPv6; empty if it is none. */}}
{{- define "affirm-worker.v6metadata" -}}
{{- regexFind "^(fe[89ab][0-9a-f]:|fd00:0?ec2:|fd20:(00)?ce:|(00)?64:ff9b:|::ffff:)" . }}
{{- end }}

{{/* A peer for a network, without the metadata in it. Takes a list: path, cidr. */}}
{{- define "affirm-worker.ipBlock" -}}
{{- $path := index . 0 }}
{{- $cidr := index . 1 }}
{{- include "affirm-worker.checkCidr" . }}
{{- $metadata := include "affirm-worker.metadata" . | fromYaml }}
{{- $except := list }}
{{- $inside := "" }}
{{- if eq $cidr "::/0" }}
{{- $except = $metadata.v6 }}
{{- else if contains ":" $cidr }}
{{- $inside = include "affirm-worker.v6metadata" $cidr }}
{{- else }}
{{- range $metadata.v4 }}
{{- if include "affirm-worker.hasInIt" (list . $cidr) }}
{{- $inside = . }}
{{- else if include "affirm-worker.hasInIt" (list $cidr .) }}
{{- $except = append $except . }}
{{- end }}
{{- end }}
{{- end }}
{{- if $inside }}
{{- include "affirm-worker.refuse" (printf "%s: %s is where clouds hand out credentials to whoever asks: no pod of this chart reaches it" $path $cidr) }}
{{- end }}
{{- $block := dict "cidr" $cidr }}
{{- if $except }}
{{- $_ := set $block "except" $except }}
{{- end }}
{{- dict "ipBlock" $block | toJson }}
{{- end }}

{{/*
A rule that lets pods out. Takes a dict: path, of (cidrs, to, ports), ports (where `of` has none), protocols. Without
cidrs and peers it leads everywhere, but for the metadata.
*/}}
{{- define "affirm-worker.egressRule" -}}
{{- $to := .of.to | default list }}
{{- $cidrs := .of.cidrs | default list }}
{{- if not (or $to $cidrs) }}
{{- $to = list (dict "namespaceSelector" dict) }}
{{- $cidrs = list "0.0.0.0/0" "::/0" }}
{{- end }}
{{- range $cidrs }}
{{- $to = append $to (include "affirm-worker.ipBlock" (list (printf "%s.cidrs" $.path) .) | fromJson) }}
{{- end }}
{{- $ports := list }}
{{- range .of.ports | default .ports }}
{{- $port := int . }}
{{- range $.protocols | default (list "TCP") }}
{{- $ports = append $ports (dict "port" $port "protocol" .) }}
{{- end }}
{{- end }}
{{- list (dict "to" $to "ports" $ports) | toYaml }}
{{- end }}

{{/* What all pods reach: the name service, the database, the storage, and what the values add. */}}
{{- define "affirm-worker.egress" -}}
{{- $policy := .Values.networkPolicy | default dict }}
{{- $dns := $policy.dns | default dict }}
{{- $names := dict "to" ($dns.to | default (list (dict "namespaceSelector" dict))) "ports" $dns.ports }}
{{- include "affirm-worker.egressRule" (dict "path" "networkPolicy.dns" "of" $names "ports" (list 53) "protocols" (list "UDP" "TCP")) }}
{{ include "affirm-worker.egressRule" (dict "path" "networkPolicy.database" "of" ($policy.database | default dict) "ports" (list 5432)) }}
{{- if eq .Values.storage.type "s3" }}
{{- $endpoint := .Values.storage.s3.endpoint | default (ternary "http://bundled:7070" "https://" (eq (include "affirm-worker.bundledStorage" .) "true")) }}
{{- $port := regexFind ":[0-9]+(/|$)" $endpoint | trimAll ":/" | default (ternary 443 80 (hasPrefix "https:" $endpoint)) }}
{{ include "affirm-worker.egressRule" (dict "path" "networkPolicy.storage" "of" ($policy.storage | default dict) "ports" (list $port)) }}
{{- end }}
{{- with $policy.extraEgress }}
{{- include "affirm-worker.checkExtraEgress" . }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Rules in Kubernetes' own words may lead wherever is said, but to the metadata. */}}
{{- define "affirm-worker.checkExtraEgress" -}}
{{- $metadata := include "affirm-worker.metadata" . | fromYaml }}
{{- range . }}
{{- if not .to }}
{{- include "affirm-worker.refuse" "networkPolicy.extraEgress: a rule without `to` leads everywhere, also to where clouds hand out credentials: say where to" }}
{{- end }}
{{- range .to }}
{{- with .ipBlock }}
{{- $block := . }}
{{- include "affirm-worker.checkCidr" (list "networkPolicy.extraEgress" .cidr) }}
{{- $missing := "" }}
{{- if eq .cidr "::/0" }}
{{- range $metadata.v6 }}
{{- $missing = ternary $missing . (has . ($block.except | default list)) }}
{{- end }}
{{- else if contains ":" .cidr }}
{{- $missing = ternary "" .cidr (or (eq .cidr "fd00:ec2::23/128") (eq (include "affirm-worker.v6metadata" .cidr) "")) }}
{{- else }}
{{- range concat (rest $metadata.v4) (list "169.254.169.254/32") }}
{{- if include "affirm-worker.hasInIt" (list $block.cidr .) }}
{{- $one := . }}
{{- $left := . }}
{{- range $block.except }}
{{- if include "affirm-worker.hasInIt" (list . $one) }}
{{- $left = "" }}
{{- end }}
{{- end }}
{{- $missing = $left | default $missing }}
{{- end }}
{{- end }}
{{- end }}
{{- if $missing }}
{{- include "affirm-worker.refuse" (printf "networkPolicy.extraEgress: %s leads to %s, where clouds hand out credentials to whoever asks: add that to its `except`, or leave it out" $block.cidr $missing) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
