"""Looks after a farm's services: containers of the stack beside what their replicas say over MQTT.

Run from the owner's shell (`make fleet`), never in a container: no container gets the Docker socket.
"""
