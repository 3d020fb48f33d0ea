{{/* The release's name is every object's: stravasync-api-dev. */}}
{{- define "apps.name" -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that select pods; a Deployment's can never change. */}}
{{- define "apps.selector" -}}
app.kubernetes.io/name: {{ .Values.contracts.deployable }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: service
{{- end -}}

{{- define "apps.labels" -}}
app.kubernetes.io/name: {{ .Values.contracts.deployable }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .Values.partOf }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* By digest where one is given: a tag can be moved. */}}
{{- define "apps.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .default }}
{{- end -}}
{{- end -}}

{{- define "apps.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ include "apps.name" . }}{{- else -}}{{ .Values.serviceAccount.name | default "default" }}{{- end -}}
{{- end -}}

{{/* database.url of the consumer is CONSUMER__DATABASE__URL in the environment. */}}
{{- define "apps.variable" -}}
{{ printf "%s__%s" (.deployable | upper | replace "-" "_") (.key | upper | replace "." "__") }}
{{- end -}}

{{/* Whether something else than this chart's number decides how many pods there are. */}}
{{- define "apps.scaled" -}}
{{- if or .Values.autoscaling.horizontal.enabled .Values.autoscaling.jetstream.enabled -}}true{{- end -}}
{{- end -}}

{{/* The fewest pods that there are. */}}
{{- define "apps.fewest" -}}
{{- if .Values.autoscaling.horizontal.enabled -}}{{ .Values.autoscaling.horizontal.min }}
{{- else if .Values.autoscaling.jetstream.enabled -}}{{ .Values.autoscaling.jetstream.min }}
{{- else -}}{{ .Values.replicas }}
{{- end -}}
{{- end -}}

{{/* What can only be said of several values together. */}}
{{- define "apps.consistent" -}}
{{- $scaling := .Values.autoscaling -}}
{{- if and $scaling.horizontal.enabled $scaling.jetstream.enabled -}}
{{- fail "autoscaling.horizontal and autoscaling.jetstream both scale the Deployment: enable one" -}}
{{- end -}}
{{- if and $scaling.vertical.enabled (include "apps.scaled" .) -}}
{{- $measured := list -}}
{{- if $scaling.horizontal.enabled -}}
{{- if $scaling.horizontal.cpuPercent -}}{{- $measured = append $measured "cpu" -}}{{- end -}}
{{- if $scaling.horizontal.memoryPercent -}}{{- $measured = append $measured "memory" -}}{{- end -}}
{{- end -}}
{{- range $resource := $measured -}}
{{- if has $resource $scaling.vertical.resources -}}
{{- fail (printf "autoscaling.vertical.resources holds %s, which autoscaling.horizontal measures: one of the two must leave it alone" $resource) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $scaling.jetstream.enabled (not .Values.contracts.handlers) -}}
{{- fail (printf "autoscaling.jetstream is enabled, and %s handles no event by its contract" .Values.contracts.deployable) -}}
{{- end -}}
{{- if and $scaling.horizontal.enabled (not (or $scaling.horizontal.cpuPercent $scaling.horizontal.memoryPercent)) -}}
{{- fail "autoscaling.horizontal measures nothing: set cpuPercent or memoryPercent" -}}
{{- end -}}
{{- if and $scaling.horizontal.enabled (gt (int $scaling.horizontal.min) (int $scaling.horizontal.max)) -}}
{{- fail "autoscaling.horizontal.min is more than autoscaling.horizontal.max" -}}
{{- end -}}
{{- if and $scaling.jetstream.enabled (gt (int $scaling.jetstream.min) (int $scaling.jetstream.max)) -}}
{{- fail "autoscaling.jetstream.min is more than autoscaling.jetstream.max" -}}
{{- end -}}
{{- if and .Values.topology.enabled (not (and .Values.topology.url .Values.topology.secret)) -}}
{{- fail "topology.enabled needs topology.url and topology.secret" -}}
{{- end -}}
{{- if and .Values.migration.enabled (not .Values.database.enabled) -}}
{{- fail "migration.enabled needs database.enabled" -}}
{{- end -}}
{{- range $use := list "probes" "ingress" "podMonitor" -}}
{{- $values := index $.Values $use -}}
{{- if and $values.enabled (not (hasKey $.Values.ports $values.port)) -}}
{{- fail (printf "%s.port is %s, which is none of ports" $use $values.port) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A value as configuration writes it: lists with commas, and numbers without an exponent. */}}
{{- define "apps.text" -}}
{{- if kindIs "slice" . -}}{{ join "," . }}
{{- else if kindIs "float64" . -}}
{{- if eq (floor .) . -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- else -}}{{ toString . }}
{{- end -}}
{{- end -}}
