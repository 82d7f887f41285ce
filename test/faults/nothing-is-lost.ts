import type { Context } from 'mocha'
import { needsPages } from '../support/needs.js'
import type { Scene } from './scenes.js'

/** A scene takes some hundred runs. A bound, not a measurement, in milliseconds. */
const SCENE_MS_MAX = 60_000

/** A test for each scene, within a `describe` that says what happens to it, where there is what it needs. */
export function nothingIsLost(
  scenes: readonly Scene[],
  tried: (scene: Scene) => Promise<void>,
  needs: (test: Context) => Promise<void> | void = needsPages,
): void {
  beforeEach(function () {
    return needs(this)
  })
  for (const scene of scenes) {
    it(`nothing is lost: ${scene.name}`, async function () {
      this.timeout(SCENE_MS_MAX)
      await tried(scene)
    })
  }
}
