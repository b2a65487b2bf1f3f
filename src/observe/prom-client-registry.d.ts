/** prom-client declares types for its main file only. */
declare module 'prom-client/lib/registry.js' {
  import type { Registry } from 'prom-client'

  const RegistryClass: typeof Registry

  export { RegistryClass as default }
}
