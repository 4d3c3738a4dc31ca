"""Run a module on several logical CPU devices.

`python -m tests.distribution.logical_devices NUMBER MODULE ARGUMENT…` splits the CPU into NUMBER
devices of TensorFlow, and then runs MODULE as a command.
"""

import runpy
import sys


def split_cpu(number):
    """Split the CPU into several logical devices. TensorFlow must not be initialized yet."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    devices = [tf.config.LogicalDeviceConfiguration() for _ in range(number)]
    tf.config.set_logical_device_configuration(cpu, devices)


if __name__ == "__main__":
    number, module = sys.argv[1:3]
    split_cpu(int(number))
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
