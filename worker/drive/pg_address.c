#include "drive/pg_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

static bool is_local_4(uint32_t address)
{
    uint32_t first = address >> 24;
    return first == 0 || first == IN_LOOPBACKNET || address >> 16 == 0xa9fe || first >= 224;
}

static bool is_local_6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_V4COMPAT(address)) {
        uint32_t inner = 0;
        memcpy(&inner, address->s6_addr + 12, sizeof(inner));
        return is_local_4(ntohl(inner));
    }
    return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_LINKLOCAL(address) ||
           IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_MULTICAST(address);
}

bool pg_address_is_local(const char *address)
{
    struct in_addr ip4;
    struct in6_addr ip6;
    if (inet_pton(AF_INET, address, &ip4) == 1) {
        return is_local_4(ntohl(ip4.s_addr));
    }
    return inet_pton(AF_INET6, address, &ip6) != 1 || is_local_6(&ip6);
}
