{
  # The addon of Splicelist: mechanism only, see native/door.h. Elsewhere than on Linux nothing is
  # built, and lib/native.ts works without it.
  'variables': {
    'openssl_fips': '',  # node-gyp's common.gypi asks for it
    'sanitize%': '',     # node-gyp rebuild --sanitize=address | thread
  },
  'targets': [
    {
      'target_name': 'splicelist',
      'conditions': [
        ['OS != "linux"', { 'type': 'none' }, {
          'sources': [
            'native/addon.cc',
            'native/arguments.cc',
            'native/crc32c.cc',
            'native/crc32c_fold.cc',
            'native/crc32c_portable.cc',
            'native/crc32c_streams.cc',
            'native/descriptor.cc',
            'native/disk_job.cc',
            'native/disk_threads.cc',
            'native/door_jobs.cc',
            'native/door_memory.cc',
            'native/door_moves.cc',
            'native/door_places.cc',
            'native/door_probes.cc',
            'native/environment.cc',
            'native/handle.cc',
            'native/lend.cc',
            'native/loop_waker.cc',
            'native/move.cc',
            'native/packets.cc',
            'native/pipe.cc',
            'native/poller.cc',
            'native/probe.cc',
            'native/relays.cc',
            'native/script.cc',
            'native/slab.cc',
            'native/system_calls.cc',
            'native/system_limits.cc',
            'native/thread_waker.cc',
          ],
          'defines': [
            'NAPI_VERSION=9',
            'NAPI_DISABLE_CPP_EXCEPTIONS',
            'NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS',
            'NODE_ADDON_API_DISABLE_DEPRECATED',
            'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',  # of a worker that is being terminated
          ],
          'cflags!': ['-O3'],
          'cflags_cc!': ['-O3', '-std=gnu++17', '-std=gnu++20'],
          'cflags_cc': [
            '-std=c++17', '-O2', '-fno-exceptions', '-fno-rtti',
            '-fvisibility=hidden', '-fvisibility-inlines-hidden', '-pthread',
            '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Werror',
            # The headers of others are not ours to warn about.
            '-isystem', '<(node_root_dir)/include/node',
            '-isystem', '<!(node -p "path.resolve(require(\'node-addon-api\').include_dir)")',
          ],
          # nodelete: disk threads are detached, and may outlive the worker that loaded the addon.
          # No -z defs: the symbols of Node-API come from the executable.
          'ldflags': [
            '-pthread', '-Wl,-z,nodelete', '-Wl,--exclude-libs,ALL', '-Wl,-Bsymbolic',
          ],
          'conditions': [
            ['sanitize == "address"', {
              'cflags_cc': [
                '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined',
                '-fno-omit-frame-pointer', '-g',
              ],
              'ldflags': ['-fsanitize=address,undefined'],
            }],
            ['sanitize == "thread"', {
              'cflags_cc': ['-fsanitize=thread', '-fno-omit-frame-pointer', '-g'],
              'ldflags': ['-fsanitize=thread'],
            }],
          ],
        }],
      ],
    },
  ],
}
