import socket

import pytest

from digest.fetch.guard import AddressGuard, AddressRefused


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1",  # IPv4-mapped
    "64:ff9b::a00:1",  # NAT64 of 10.0.0.1
    "2002:0a00:0001::1",  # 6to4 of 10.0.0.1
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo of 10.0.0.1
])
def test_addresses_of_our_own_network_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        AddressGuard().check(address, 80)


@pytest.mark.parametrize(("address", "port"), [("93.184.216.34", 443), ("2606:2800:220:1::1", 8080),
                                               ("64:ff9b::5db8:d822", 80)])
def test_public_addresses_pass(address: str, port: int) -> None:
    assert AddressGuard().check(address, port) is None  # it raises where it refuses


def test_other_ports_are_refused() -> None:
    with pytest.raises(AddressRefused):
        AddressGuard().check("93.184.216.34", 25)


def test_the_operator_may_allow_a_network_or_a_port_of_it() -> None:
    guard = AddressGuard(["10.0.0.0/8", "127.0.0.1/32:9000", "[fd00::/8]:8000"])
    guard.check("10.1.2.3", 9999)
    guard.check("::ffff:10.1.2.3", 80)
    guard.check("127.0.0.1", 9000)
    guard.check("fd00::1", 8000)
    with pytest.raises(AddressRefused):
        guard.check("127.0.0.1", 9001)


def test_a_mapped_address_passes_on_its_own_port_alone() -> None:
    guard = AddressGuard(exempt=[("127.0.0.1", 8765)])
    guard.check("127.0.0.1", 8765)
    with pytest.raises(AddressRefused):
        guard.check("127.0.0.1", 5432)


def test_no_socket_is_made_for_a_refused_address() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    with pytest.raises(AddressRefused):
        AddressGuard().make_socket(info)
    AddressGuard(["127.0.0.0/8"]).make_socket(info).close()
