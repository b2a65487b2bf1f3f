/**
 * Checks a manifest against the Kubernetes OpenAPI schemas that kubernetes-models carries (generated from the API
 * server's own definitions, as compiled validators). The validators ignore fields they do not know, as the schemas have
 * no `additionalProperties: false`; the API server would drop or refuse such a field, so we find them too: every own property
 * that the validator never read is one the schema does not have.
 */

import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { validate as mutatingPolicy } from 'kubernetes-models/_schemas/IoK8sApiAdmissionregistrationV1MutatingAdmissionPolicy'
import { validate as mutatingBinding } from 'kubernetes-models/_schemas/IoK8sApiAdmissionregistrationV1MutatingAdmissionPolicyBinding'
import { validate as daemonSet } from 'kubernetes-models/_schemas/IoK8sApiAppsV1DaemonSet'
import { validate as deployment } from 'kubernetes-models/_schemas/IoK8sApiAppsV1Deployment'
import { validate as job } from 'kubernetes-models/_schemas/IoK8sApiBatchV1Job'
import { validate as configMap } from 'kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap'
import { validate as pod } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Pod'
import { validate as service } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Service'
import { validate as serviceAccount } from 'kubernetes-models/_schemas/IoK8sApiCoreV1ServiceAccount'
import { validate as disruptionBudget } from 'kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget'
import { validate as clusterRole } from 'kubernetes-models/_schemas/IoK8sApiRbacV1ClusterRole'
import { validate as clusterRoleBinding } from 'kubernetes-models/_schemas/IoK8sApiRbacV1ClusterRoleBinding'
import { validate as role } from 'kubernetes-models/_schemas/IoK8sApiRbacV1Role'
import { validate as roleBinding } from 'kubernetes-models/_schemas/IoK8sApiRbacV1RoleBinding'

type Validator = ((data: unknown) => boolean) & { errors?: readonly SchemaError[] | null }

interface SchemaError {
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
}

const validators: Readonly<Record<string, Validator>> = {
  'admissionregistration.k8s.io/v1 MutatingAdmissionPolicy': mutatingPolicy,
  'admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding': mutatingBinding,
  'apps/v1 DaemonSet': daemonSet,
  'batch/v1 Job': job,
  'apps/v1 Deployment': deployment,
  'policy/v1 PodDisruptionBudget': disruptionBudget,
  'rbac.authorization.k8s.io/v1 ClusterRole': clusterRole,
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': clusterRoleBinding,
  'rbac.authorization.k8s.io/v1 Role': role,
  'rbac.authorization.k8s.io/v1 RoleBinding': roleBinding,
  'v1 ConfigMap': configMap,
  'v1 Pod': pod,
  'v1 Service': service,
  'v1 ServiceAccount': serviceAccount,
  'monitoring.coreos.com/v1 PodMonitor': ofModel(PodMonitor),
  'monitoring.coreos.com/v1 PrometheusRule': ofModel(PrometheusRule),
  'monitoring.coreos.com/v1 ServiceMonitor': ofModel(ServiceMonitor),
}

/** @returns one line for each mistake; empty when the manifest is in order */
export function schemaMistakes(manifest: unknown): string[] {
  const { apiVersion, kind } = manifest as { apiVersion?: string; kind?: string }
  const validator = validators[`${apiVersion} ${kind}`]
  if (validator === undefined) return [`no schema for ${apiVersion} ${kind}`]
  const unread = new Map<string, Set<string>>()
  const isValid = validator(watched(manifest, '', unread))
  const wrong = isValid ? [] : (validator.errors ?? []).map(describe)
  const unknown = [...unread].flatMap(([path, keys]) =>
    [...keys].map((key) => `${path}/${key}: unknown field`),
  )
  return [...wrong, ...unknown]
}

/** The operator's package exports no validators, only classes that throw what is wrong. They read each field of the top. */
function ofModel(model: new (data: never) => { validate(): void }): Validator {
  const validator: Validator = (data) => {
    try {
      new model(data as never).validate()
      return true
    } catch (error) {
      validator.errors = [{ instancePath: '', keyword: String(error), params: {} }]
      return false
    }
  }
  return validator
}

function describe(error: SchemaError): string {
  return `${error.instancePath}: ${error.keyword} ${JSON.stringify(error.params)}`
}

/** Wraps objects and arrays so that `unread` is left with the properties that nobody looked at. */
function watched(value: unknown, path: string, unread: Map<string, Set<string>>): unknown {
  if (value === null || typeof value !== 'object') return value
  const left = new Set(Object.keys(value))
  unread.set(path, left)
  const children = new Map<string, unknown>()
  return new Proxy(value, {
    get(target, key, receiver) {
      const member: unknown = Reflect.get(target, key, receiver)
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return member
      left.delete(key)
      if (!children.has(key)) children.set(key, watched(member, `${path}/${key}`, unread))
      return children.get(key)
    },
  })
}
