{{/* Names, labels, and the configuration that follows from the values. */}}

{{- define "neardns.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "neardns.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "neardns.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "neardns.selectorLabels" -}}
app.kubernetes.io/name: {{ include "neardns.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of objects, not of pods: a pod label that changes with every chart version would restart all pods. */}}
{{- define "neardns.labels" -}}
{{ include "neardns.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "neardns.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "neardns.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "neardns.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "neardns.upstreamService" -}}
{{ .Values.config.customUpstreamsvc | default "kube-dns-upstream" }}
{{- end }}

{{/* The variable that the kubelet makes of a Service for pods of its namespace. */}}
{{- define "neardns.upstreamVariable" -}}
{{ include "neardns.upstreamService" . | upper | replace "-" "_" }}_SERVICE_HOST
{{- end }}

{{/* Whether addresses and rules are put on the node. */}}
{{- define "neardns.onNode" -}}
{{- if ne .Values.config.setupInterface .Values.config.setupIptables }}
{{- fail "config.setupInterface and config.setupIptables: neardns manages both or none; set them to the same" }}
{{- end }}
{{- if .Values.config.setupIptables }}true{{ end }}
{{- end }}

{{/* "a,b" -> JSON list. */}}
{{- define "neardns.addresses" -}}
{{- $list := list }}
{{- range splitList "," . }}
{{- if trim . }}{{ $list = append $list (trim .) }}{{ end }}
{{- end }}
{{- toJson $list }}
{{- end }}

{{/* The configuration as YAML, in one piece: what follows from the chart's names, then all other settings over it. */}}
{{- define "neardns.config" -}}
{{- $values := .Values.config }}
{{- $names := list "dnsDomain" "localDns" "dnsServer" "customUpstreamsvc" "upstreamServiceSelector" "setupInterface" "setupIptables" "skipTeardown" "enableLogging" "customConfig" }}
{{- $settings := deepCopy $values }}
{{- range $names }}{{ $_ := unset $settings . }}{{ end }}
{{- $made := dict "clusterDomain" $values.dnsDomain }}
{{- if include "neardns.onNode" . }}
{{- $own := include "neardns.addresses" $values.localDns | fromJsonArray }}
{{- $taken := include "neardns.addresses" $values.dnsServer | fromJsonArray }}
{{- $listen := list }}
{{- range concat $own $taken }}
{{- $listen = append $listen (printf "%s:53" (ternary (printf "[%s]" .) . (contains ":" .))) }}
{{- end }}
{{- $_ := set $made "listen" $listen }}
{{- $interception := dict "addresses" $own }}
{{- if not $values.skipTeardown }}{{ $_ := set $interception "onStop" "remove" }}{{ end }}
{{- if $taken }}{{ $_ := set $interception "clusterIps" $taken }}{{ end }}
{{- $_ := set $made "interception" $interception }}
{{- else }}
{{- $_ := set $made "interception" (dict "mode" "none") }}
{{- $_ := unset $settings "handover" }}
{{- end }}
{{- if $values.enableLogging }}{{ $_ := set $made "log" (dict "queries" (dict "sampleOneIn" 1)) }}{{ end }}
{{- $admin := dict }}
{{- if .Values.admin.tokenSecret }}{{ $_ := set $admin "tokenFile" "/etc/neardns-admin/token" }}{{ end }}
{{- if .Values.podNames.enabled }}{{ $_ := set $admin "podNames" true }}{{ end }}
{{- if $admin }}{{ $_ := set $made "admin" $admin }}{{ end }}
{{- mergeOverwrite $made $settings | toYaml }}
{{- end }}

{{/* A mark of what the daemon reads at its start only: where it changes, pods are made anew; all else is applied while running. */}}
{{- define "neardns.startSettings" -}}
{{- $config := include "neardns.config" . | fromYaml }}
{{- $read := pick $config "listen" "interception" "kernelHits" "handover" "workers" "supervisor" "memory" "io" "sharePorts" "udp" "tcp" }}
{{- $read = merge $read (dict "corefile" ($config.searchPath).corefile "custom" .Values.config.customConfig) }}
{{- $read | toJson | sha256sum | trunc 12 }}
{{- end }}

{{- define "neardns.podSecurityContext" -}}
{{- $own := dict "seccompProfile" (dict "type" "RuntimeDefault") }}
{{- mergeOverwrite $own (deepCopy .Values.podSecurityContext) | toYaml }}
{{- end }}

{{- define "neardns.securityContext" -}}
{{- $own := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true }}
{{- if include "neardns.onNode" . }}
{{- $bpf := ternary (list "BPF") list (eq "auto" (dig "kernelHits" "mode" "off" (include "neardns.config" . | fromYaml))) }}
{{- $own = merge $own (dict "runAsUser" 0 "runAsNonRoot" false "capabilities" (dict "drop" (list "ALL") "add" (concat (list "NET_BIND_SERVICE" "NET_ADMIN" "NET_RAW") $bpf))) }}
{{- else }}
{{- $own = merge $own (dict "runAsUser" 65532 "runAsNonRoot" true "capabilities" (dict "drop" (list "ALL") "add" (list "NET_BIND_SERVICE"))) }}
{{- end }}
{{- mergeOverwrite $own (deepCopy .Values.securityContext) | toYaml }}
{{- end }}

{{/* One scrape of each pod, whoever makes it. */}}
{{- define "neardns.isAnnotated" -}}
{{- if and .Values.prometheusScraping.enabled (not .Values.serviceMonitor.enabled) (not .Values.podMonitor.enabled) }}true{{ end }}
{{- end }}
