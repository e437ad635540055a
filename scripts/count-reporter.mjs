import { writeFileSync } from 'node:fs'

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed  tests, files that did not load, and errors outside any test
 * @property {number} skipped
 * @property {string[]} skippedNames
 */

/**
 * Vitest reporter that writes the counts of a finished run as JSON to the file named by CHECK_COUNTS_FILE. The file is
 * missing when vitest crashed.
 */
export default class CountReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.CHECK_COUNTS_FILE
    if (file === undefined) return
    writeFileSync(file, JSON.stringify(count(modules, unhandledErrors)))
  }
}

/**
 * @param {readonly import('vitest/node').TestModule[]} modules
 * @param {readonly unknown[]} unhandledErrors
 */
function count(modules, unhandledErrors) {
  /** @type {Counts} */
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, skippedNames: [] }
  for (const module of modules) {
    let own = 0
    for (const test of module.children.allTests()) {
      own += 1
      const { state } = test.result()
      if (state === 'passed') counts.passed += 1
      else if (state === 'skipped') {
        counts.skipped += 1
        counts.skippedNames.push(`${module.relativeModuleId} > ${test.fullName}`)
      } else counts.failed += 1
    }
    const suiteErrors = [module, ...module.children.allSuites()].flatMap((suite) => suite.errors()).length
    counts.failed += suiteErrors
    // A file that holds no test, or none that ran, is a mistake even when vitest reports no error for it.
    if (own === 0 && suiteErrors === 0) counts.failed += 1
  }
  return counts
}
