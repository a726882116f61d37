using System.Net;
using Lintel.Features.Webhooks.Sending;
using Lintel.Infrastructure;
using Lintel.Platform.Breakers;
using Lintel.Platform.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lintel.Features.Webhooks;

/// <summary>Where webhooks are sent, and where never.</summary>
public sealed class WebhookTargetTests
{
    [Theory]
    [InlineData("https://example.com/hook")]
    [InlineData("https://example.com:8443/hook?a=b")]
    [InlineData("https://bücher.example/")]
    [InlineData("https://93.184.215.14/")]
    [InlineData("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/")]
    public void What_everybody_can_reach_may_be_sent_to(string url) => Assert.Null(Check(url));

    [Theory]
    [InlineData("http://example.com/")]
    [InlineData("ftp://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://example.com/")]
    [InlineData("//example.com/")]
    [InlineData("https:example.com")]
    [InlineData("https:/example.com")]
    [InlineData("https:///example.com")]
    [InlineData("https://")]
    [InlineData("")]
    [InlineData("https://user@example.com/")]
    [InlineData("https://user:secret@example.com/")]
    [InlineData("https://@example.com/")]
    [InlineData("https://example.com@127.0.0.1/")]
    [InlineData("https://example.com\\@127.0.0.1/")]
    [InlineData("https://example.com/#there")]
    [InlineData("https://example.com/a b")]
    [InlineData("https://example.com/\r\nHost: x")]
    [InlineData("https://example.com:22/")]
    [InlineData("https://example.com:25/")]
    [InlineData("https://example.com:5432/")]
    [InlineData("https://example.com:6379/")]
    [InlineData("https://example.com:0/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://127.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://0x7f.0.0.1/")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://017700000001/")]
    [InlineData("https://0/")]
    [InlineData("https://0.0.0.0/")]
    [InlineData("https://10.1.2.3/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[::ffff:7f00:1]/")]
    [InlineData("https://[64:ff9b::10.0.0.1]/")]
    [InlineData("https://[fe80::1%25eth0]/")]
    [InlineData("https://localhost/")]
    [InlineData("https://localhost./")]
    [InlineData("https://metadata/latest/")]
    [InlineData("https://xn--١/")]
    [InlineData("https://xn--١.example.com/")]
    [InlineData("https://168.63.129.16/")]
    public void What_is_no_public_https_address_is_refused_at_once(string url) => Assert.NotNull(Check(url));

    [Fact]
    public void A_host_longer_than_the_dns_has_names_is_refused()
    {
        var label = new string('a', 60) + ".";

        Assert.NotNull(Check($"https://{label}{label}{label}{label}example.com/"));
        Assert.Null(Check($"https://{label}{label}{label}example.com/"));
    }

    [Fact]
    public void A_name_of_one_part_is_for_those_who_allow_networks_of_their_own()
    {
        var options = new WebhookOptions { Allowed = Settings(("WEBHOOK_ALLOW", "10.1.0.0/16")).Networks("WEBHOOK_ALLOW") };

        Assert.Null(new WebhookUrl(options, new TargetAddresses(options)).Check("https://buildserver/hook", out _));
    }

    [Theory]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.254")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.255")]
    [InlineData("168.63.129.16")]
    [InlineData("::ffff:168.63.129.16")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.8")]
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.19.255.255")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::7f00:1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:0:7f00:1::")]
    [InlineData("2001:2::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("3fff::1")]
    [InlineData("5f00::1")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void What_is_not_public_is_not_sent_to(string address) => Assert.False(new TargetAddresses(new()).Allow(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("::ffff:1.1.1.1")]
    [InlineData("64:ff9b::1.1.1.1")]
    [InlineData("2001:200::1")]
    [InlineData("2606:4700::1111")]
    public void What_is_public_is_sent_to(string address) => Assert.True(new TargetAddresses(new()).Allow(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("64:ff9b::10.1.2.3", true)]
    [InlineData("10.2.0.0", false)]
    [InlineData("fd00::7", true)]
    [InlineData("fd00::8", false)]
    public void What_the_setting_names_is_allowed_and_nothing_beside_it(string address, bool expected)
    {
        var options = new WebhookOptions { Allowed = Settings(("WEBHOOK_ALLOW", "10.1.0.0/16, fd00::7")).Networks("WEBHOOK_ALLOW") };

        Assert.Equal(expected, new TargetAddresses(options).Allow(IPAddress.Parse(address)));
    }

    [Fact]
    public void A_setting_that_is_no_network_is_refused()
    {
        var settings = Settings(("WEBHOOK_ALLOW", "localhost"));
        WebhookOptions.Read(settings);

        Assert.Contains(settings.Errors, static error => error.StartsWith("WEBHOOK_ALLOW must be a list", StringComparison.Ordinal));
    }

    [Fact]
    public void The_secret_is_another_for_another_webhook_another_salt_and_another_key()
    {
        var (id, salt) = (Guid.CreateVersion7(), WebhookSecrets.NewSalt());
        var one = new WebhookSecrets(SecretKey.Read(Settings(("SECRET_KEY", new string('a', 32)))));
        var other = new WebhookSecrets(SecretKey.Read(Settings(("SECRET_KEY", new string('b', 32)))));

        Assert.Equal(one.Show(id, salt), one.Show(id, salt));
        Assert.Equal(4, new[] { one.Show(id, salt), other.Show(id, salt), one.Show(id, WebhookSecrets.NewSalt()), one.Show(Guid.CreateVersion7(), salt) }.Distinct().Count());
    }

    /// <summary>The example of the Standard Webhooks specification, for what the other tests verify by.</summary>
    [Fact]
    public void The_tests_verify_signatures_as_the_standards_example_does() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        Received.Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", """{"test": 2432232314}"""));

    [Fact]
    public async Task Breakers_are_as_many_as_may_be_and_open_ones_are_forgotten_last()
    {
        var breakers = new HostBreakers(BreakerSettings.Read(Settings(("BREAKER_WEBHOOK_FAILURES", "3"))), new ManualTime(), NullLogger<Breaker>.Instance);
        var down = new Uri("https://down.example/");
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<HttpRequestException>(async () =>
                await breakers.Of(down).RunAsync(static _ => throw new HttpRequestException(HttpRequestError.ConnectionError), TestContext.Current.CancellationToken));
        }

        for (var i = 0; i < 3 * HostBreakers.Most; i++)
        {
            breakers.Of(new Uri($"https://host-{i}.example/"));
        }

        Assert.Equal(HostBreakers.Most, breakers.Count);
        Assert.Equal("open", breakers.Of(down).State);
        Assert.NotSame(breakers.Of(down), breakers.Of(new Uri("https://down.example:8443/")));

        // Whoever asks a port of another's for the wrong protocol opens no breaker but that of the wrong protocol.
        Assert.Equal("closed", breakers.Of(new Uri("http://down.example:443/")).State);
    }

    private static string? Check(string url) => new WebhookUrl(new(), new TargetAddresses(new())).Check(url, out _);

    private static SettingsReader Settings(params (string Name, string Value)[] settings) => new(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build(),
        new HostingEnvironment { EnvironmentName = "Production" });
}
