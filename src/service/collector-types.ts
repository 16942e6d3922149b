/** What the Collector has and this build has not: types to refuse by name rather than as unknown. */
import type { ComponentKind } from '../pipeline/component.ts'

const otherNames: Readonly<Record<string, string>> = {
  basicauthextension: 'basicauth',
  oauth2clientauth: 'oauth2client',
  sigv4authextension: 'sigv4auth',
}

const receivers =
  'active_directory_ds aerospike apache apache_spark awscloudwatch awscontainerinsight awsecscontainermetrics awsfirehose awss3 awsxray ' +
  'azure_blob azure_event_hub azure_monitor bigip carbon chrony cloudflare cloudfoundry collectd couchdb datadog ' +
  'docker_stats elasticsearch expvar faro file_log file_stats flinkmetrics fluent_forward github gitlab ' +
  'googlecloudmonitoring googlecloudpubsub googlecloudspanner haproxy host_metrics http_check iis influxdb jaeger ' +
  'jmx journald k8s_cluster k8s_events k8s_objects kafka kafka_metrics kubelet_stats loki memcached mongodb mongodbatlas mysql ' +
  'named_pipe netflow nginx nop ntp oracledb osquery otlp otlp_json_file otel_arrow podman_stats postgresql ' +
  'prometheus prometheus_remote_write prometheus_simple pulsar purefa purefb rabbitmq receiver_creator redis riak saphana ' +
  'signalfx skywalking simple_prometheus snmp snowflake solace splunk_enterprise splunk_hec sqlquery sqlserver ssh_check ' +
  'statsd stef syslog systemd tcp_check tcp_log tls_check udp_log vcenter wavefront webhook_event windows_event_log ' +
  'windows_perf_counters windows_service yang_grpc zipkin zookeeper'

const processors =
  'attributes batch cumulative_to_delta delta_to_cumulative delta_to_rate dns_lookup drain filter geoip group_by_attrs ' +
  'group_by_trace interval isolation_forest k8s_attributes log_dedup logs_transform logstransform lookup memory_limiter ' +
  'metric_start_time metrics_generation metrics_transform metricstarttime probabilistic_sampler redaction ' +
  'remote_tap resource resource_detection schema span sumologic tail_sampling transform unroll'

const exporters =
  'alertmanager alibabacloud_logservice awscloudwatchlogs awsemf awskinesis awss3 awsxray azure_blob azure_data_explorer ' +
  'azure_monitor bmchelix carbon cassandra clickhouse coralogix datadog dataset debug doris elasticsearch faro file ' +
  'google_cloud google_cloud_pubsub googlecloudstorage google_managed_prometheus honeycomb_marker influxdb kafka ' +
  'load_balancing logicmonitor logzio mezmo nop opensearch otel_arrow otlp_grpc otlp_http prometheus ' +
  'prometheus_remote_write pulsar rabbitmq sapm sentry signalfx splunk_hec stef sumologic syslog ' +
  'tencentcloud_logservice tinybird zipkin'

const connectors =
  'count datadog exceptions failover forward grafana_cloud metrics_as_logs otlp_json round_robin routing ' +
  'service_graph signal_to_metrics slow_sql span_metrics sum spanevent_to_log'

const extensions =
  'ack asap_auth_client avro_log_encoding awsproxy azure_auth basic_auth bearer_token_auth cgroup_runtime cfgarden_observer ' +
  'datadog db_storage docker_observer ecs_observer file_storage google_client_auth google_cloud_log_entry_encoding ' +
  'headers_setter health_check host_observer http_forwarder jaeger_encoding jaeger_remote_sampling ' +
  'json_log_encoding k8s_leader_elector k8s_observer kafkatopics_observer memory_limiter oauth2_client oidc opamp ' +
  'otlp_encoding pprof redis_storage remotetap sigv4_auth solarwindsapmsettings sumologic text_encoding ' +
  'zipkin_encoding zpages'

const collectorTypes: Readonly<Record<ComponentKind, string>> = {
  receiver: receivers,
  processor: processors,
  exporter: exporters,
  connector: connectors,
  extension: extensions,
}

export function isCollectorType(kind: ComponentKind, type: string): boolean {
  return collectorTypesOf(kind).some((each) => typeKey(each) === typeKey(type))
}

/** In the newer spelling, words joined by underscores. */
export function collectorTypesOf(kind: ComponentKind): readonly string[] {
  return collectorTypes[kind].split(' ')
}

/** One key for `otlphttp` and `otlp_http`: the Collector is moving every type to words with underscores. */
export function typeKey(type: string): string {
  const key = type.replaceAll('_', '')
  return Object.hasOwn(otherNames, key) ? otherNames[key] : key
}

const otlpInstead = 'send OTLP instead: use the otlp_grpc or otlp_http exporter'
const jaegerHttp =
  'Jaeger takes OTLP itself: use the otlp_http exporter with endpoint http://jaeger:4318'

/** Types that the Collector itself has removed, and what took their place. */
const removed: Readonly<Record<ComponentKind, Readonly<Record<string, string>>>> = {
  receiver: { opencensus: 'let clients send OTLP, to the otlp receiver' },
  processor: {
    routing: 'use the routing connector',
    spanmetrics: 'use the span_metrics connector',
    servicegraph: 'use the service_graph connector',
    queuedretry: 'use sending_queue and retry_on_failure of the exporter',
    k8stagger: 'use the k8s_attributes processor',
    memoryballast: 'use the memory_limiter processor alone',
  },
  exporter: {
    jaeger: 'Jaeger takes OTLP itself: use the otlp_grpc exporter with endpoint jaeger:4317',
    jaegerthrift: jaegerHttp,
    jaegerthrifthttp: jaegerHttp,
    loki: 'Loki takes OTLP itself: use the otlp_http exporter with endpoint http://loki:3100/otlp',
    opencensus: otlpInstead,
  },
  connector: {},
  extension: {
    memoryballast: 'use the memory_limiter processor alone',
  },
}

/** What replaces a type that the Collector has removed; undefined when it has not. */
export function replacementOf(kind: ComponentKind, type: string): string | undefined {
  const table = removed[kind]
  const key = typeKey(type)
  return Object.hasOwn(table, key) ? table[key] : undefined
}
