{{/* The restricted profile of the pod security standards, said of the pod… */}}
{{- define "apps.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* … and of the container. */}}
{{- define "apps.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{- define "apps.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/*
The database's address, put together from a Secret with the keys LOGIN, PASSWORD and DATABASE_NAME.
Kubernetes expands $(NAME) of variables that stand before.
*/}}
{{- define "apps.databaseEnvironment" -}}
{{- $database := .Values.database -}}
{{- range $variable, $key := dict "DATABASE_LOGIN" "LOGIN" "DATABASE_NAME" "DATABASE_NAME" "DATABASE_PASSWORD" "PASSWORD" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $database.secret }}
      key: {{ $key }}
{{- end }}
- name: {{ include "apps.variable" (dict "deployable" .Values.contracts.deployable "key" "database.url") }}
  value: postgres://$(DATABASE_LOGIN):$(DATABASE_PASSWORD)@{{ $database.host }}:{{ $database.port }}/$(DATABASE_NAME){{ with $database.parameters }}?{{ . }}{{ end }}
{{- end -}}

{{- define "apps.environment" -}}
{{- if .Values.database.enabled }}
{{- include "apps.databaseEnvironment" . }}
{{- end }}
{{- range $key, $value := .Values.config }}
- name: {{ include "apps.variable" (dict "deployable" $.Values.contracts.deployable "key" $key) }}
  value: {{ include "apps.text" $value | quote }}
{{- end }}
{{- range $key, $from := .Values.secretConfig }}
- name: {{ include "apps.variable" (dict "deployable" $.Values.contracts.deployable "key" $key) }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.secret }}
      key: {{ $from.key }}
{{- end }}
{{- end -}}

{{/*
Seconds from the order to end until the process is killed: the endpoints' removal, then the
service's own shutdown, and the longest time that a contract leaves a message unanswered, so that
what is being handled is answered by the process that has it.
*/}}
{{- define "apps.grace" -}}
{{- $wait := 0 -}}
{{- range .Values.contracts.handlers -}}{{- $wait = max $wait .ackWaitSeconds -}}{{- end -}}
{{- add .Values.shutdown.preStopSeconds .Values.shutdown.graceSeconds $wait 5 -}}
{{- end -}}
