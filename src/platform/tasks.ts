/** The one place where a promise may run unattended: its failure is reported, never lost. */

export type TaskFailure = (name: string, error: unknown) => void

/** Makes the function that starts unattended tasks. @param onFailure gets the name and what was thrown */
export function taskRunner(
  onFailure: TaskFailure,
): (name: string, task: () => Promise<unknown>) => void {
  return (name, task) => {
    task().catch((error: unknown) => onFailure(name, error))
  }
}
