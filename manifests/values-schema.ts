/**
 * The chart's values.schema.json: below `config` the daemon's own settings, from the same source as docs/neardns.schema.json, and beside
 * them the chart's names. Unknown values are mistakes everywhere but in fields that go to Kubernetes as they are. Draft 7, which every
 * helm 3 and 4 knows.
 */
import { configJsonSchema } from '../src/config/schema.ts'
import type { JsonSchema } from '../src/config/setting.ts'

type Schema = Readonly<Record<string, unknown>>

const text = (description: string): Schema => ({ type: 'string', description })
const yesNo = (description: string): Schema => ({ type: 'boolean', description })
const whole = (description: string, minimum: number, maximum: number): Schema => ({
  type: 'integer',
  description,
  minimum,
  maximum,
})
/** Goes into the object as it is; the API server checks it. */
const asIs = (description: string): Schema => ({ type: 'object', description })
const listAsIs = (description: string): Schema => ({ type: 'array', description })
const texts = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
})
const section = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  additionalProperties: false,
})

/** The file's content. */
export function valuesSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the neardns chart',
    ...section({
      image: section({
        repository: text('Image without tag.'),
        tag: text("Empty: the chart's appVersion."),
        pullPolicy: { type: 'string', enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      config: configSection(),
      ...objectValues(),
      ...podValues(),
      ...monitoringValues(),
      global: asIs('Set by a chart above this one; not used.'),
    }),
  }
  return `${JSON.stringify(schema, undefined, 2)}\n`
}

/** Addresses, comma separated. Whether they are addresses says neardns. */
const addresses = '^[0-9a-fA-F.:]*(\\s*,\\s*[0-9a-fA-F.:]+)*$'

function configSection(): Schema {
  const own = configJsonSchema()
  return {
    ...section({
      dnsDomain: text("The kubelet's `clusterDomain`. As clusterDomain."),
      localDns: {
        ...text('Own addresses on every node, comma separated. As listen, interception.addresses.'),
        pattern: addresses,
      },
      dnsServer: {
        ...text(
          'kube-dns ClusterIPs to take over, comma separated. As listen, interception.clusterIps.',
        ),
        pattern: addresses,
      },
      customUpstreamsvc: text(
        'A Service that is there already and leads to CoreDNS. Empty: the chart makes one.',
      ),
      upstreamServiceSelector: texts('What CoreDNS pods are found by.'),
      setupInterface: yesNo('Addresses on the node; to be the same as setupIptables.'),
      setupIptables: yesNo('Rules on the node. False: interception.mode none, no hostNetwork.'),
      skipTeardown: yesNo('True: interception.onStop keep; false: remove.'),
      enableLogging: yesNo('A line for every query. As log.queries.sampleOneIn 1.'),
      customConfig: text('A whole neardns.yaml instead.'),
      ...(Object.fromEntries(
        Object.entries(own.properties ?? {}).map(([key, value]) => [key, closed(value)]),
      ) as Record<string, Schema>),
    }),
    description: 'Names of the chart, and every setting of docs/configuration.md.',
  }
}

/** The settings' schema leaves unknown keys to neardns itself; here they are caught before anything is applied. */
function closed(schema: JsonSchema): Schema {
  const { properties, items, ...rest } = schema
  return {
    ...rest,
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, value]) => [key, closed(value)]),
          ),
          additionalProperties: false,
        }),
  }
}

function objectValues(): Record<string, Schema> {
  return {
    nameOverride: text("Instead of the chart's name."),
    fullnameOverride: text('Instead of release and chart name.'),
    corefile: section({
      configMapName: text("ConfigMap with CoreDNS's Corefile."),
      customConfigMapName: text(
        'ConfigMap with the files that the Corefile imports; empty for none.',
      ),
    }),
    upstreamService: section({
      create: yesNo('Whether the chart makes the Service.'),
      trafficDistribution: {
        type: 'string',
        enum: ['', 'PreferClose', 'PreferSameZone', 'PreferSameNode'],
      },
      annotations: texts('Of the Service.'),
    }),
    admin: section({
      port: whole('Metrics, probes, read-only pages.', 1, 65_535),
      tokenSecret: text('Secret with the key `token`.'),
    }),
    podNames: section({
      enabled: yesNo('Whether the daemon may read pods, to name clients by them.'),
    }),
    traces: section({
      secret: text('Secret whose keys are files in /etc/neardns-traces.'),
    }),
    serviceAccount: section({
      create: yesNo('Whether the chart makes it.'),
      name: text('Empty: the full name.'),
      annotations: texts('Of the ServiceAccount.'),
    }),
    uninstall: section({
      cleanNodes: yesNo('Whether `helm uninstall` takes everything off the nodes.'),
      timeoutSeconds: whole('For all nodes together.', 10, 86_400),
    }),
    configMapAnnotations: texts('Of the ConfigMap.'),
    configMapLabels: texts('Of the ConfigMap.'),
    daemonsetAnnotations: texts('Of the DaemonSet.'),
    daemonsetLabels: texts('Of the DaemonSet.'),
    localRedirectPolicy: section({
      enabled: yesNo('Whether the chart makes a CiliumLocalRedirectPolicy.'),
      serviceName: text('The Service that pods ask.'),
    }),
  }
}

function podValues(): Record<string, Schema> {
  return {
    imagePullSecrets: listAsIs('Of the pods.'),
    updateStrategy: asIs('Of the DaemonSet.'),
    minReadySeconds: whole('Before a new pod counts as good.', 0, 3600),
    resources: asIs('Of the container.'),
    resizePolicy: listAsIs('Of the container.'),
    priorityClassName: text('Of the pods.'),
    terminationGracePeriodSeconds: whole('Longer than drain.deadlineMs.', 1, 3600),
    nodeSelector: texts('Of the pods.'),
    affinity: asIs('Of the pods.'),
    tolerations: listAsIs('Of the pods.'),
    podSecurityContext: asIs('Merged over what is needed.'),
    securityContext: asIs('Of the container, merged over what the mode needs.'),
    initContainers: listAsIs('Before the daemon.'),
    lifecycle: asIs('Of the container.'),
    extraArgs: { type: 'array', items: { type: 'string' }, description: 'Of the daemon.' },
    podAnnotations: texts('Of the pods.'),
    podLabels: texts('Of the pods.'),
  }
}

function monitoringValues(): Record<string, Schema> {
  const monitor = section({
    enabled: yesNo('Whether the chart makes one.'),
    labels: texts('What your Prometheus selects by.'),
    interval: text('As 30s; empty: what Prometheus has for all.'),
  })
  return {
    prometheusScraping: section({ enabled: yesNo('The annotations prometheus.io/*.') }),
    service: section({ annotations: texts('Of the metrics Service.') }),
    serviceMonitor: monitor,
    podMonitor: monitor,
    prometheusRule: section({
      enabled: yesNo('Whether the chart makes one.'),
      labels: texts('What your Prometheus selects by.'),
    }),
    dashboard: section({
      enabled: yesNo('Whether the chart makes one.'),
      namespace: text("Where Grafana's sidecar looks; empty: the release's."),
      label: text('What it looks for.'),
      annotations: texts('Of the ConfigMap.'),
    }),
  }
}
