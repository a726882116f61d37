using System.Security.Cryptography;
using System.Text;
using Lintel.Features.Accounts.SecondFactors.Codes;

namespace Lintel.Features.Accounts.SecondFactors;

public sealed class OneTimeCodeTests
{
    private static readonly byte[] Secret = "12345678901234567890"u8.ToArray();

    /// <summary>RFC 4226, appendix D.</summary>
    [Theory]
    [InlineData(0, "755224")]
    [InlineData(1, "287082")]
    [InlineData(2, "359152")]
    [InlineData(3, "969429")]
    [InlineData(4, "338314")]
    [InlineData(5, "254676")]
    [InlineData(6, "287922")]
    [InlineData(7, "162583")]
    [InlineData(8, "399871")]
    [InlineData(9, "520489")]
    public void Codes_by_counter_are_those_of_RFC_4226(long counter, string code) => Assert.Equal(code, OneTimeCode.Compute(Secret, counter));

    /// <summary>RFC 6238, appendix B.</summary>
    [Theory]
    [InlineData(59, "94287082", "46119246", "90693936")]
    [InlineData(1111111109, "07081804", "68084774", "25091201")]
    [InlineData(1111111111, "14050471", "67062674", "99943326")]
    [InlineData(1234567890, "89005924", "91819424", "93441116")]
    [InlineData(2000000000, "69279037", "90698825", "38618901")]
    [InlineData(20000000000, "65353130", "77737706", "47863826")]
    public void Codes_by_time_are_those_of_RFC_6238(long seconds, string sha1, string sha256, string sha512)
    {
        var step = OneTimeCode.StepAt(DateTimeOffset.FromUnixTimeSeconds(seconds));

        Assert.Equal(sha1, OneTimeCode.Compute(SecretOf(20), step, 8, HashAlgorithmName.SHA1));
        Assert.Equal(sha256, OneTimeCode.Compute(SecretOf(32), step, 8, HashAlgorithmName.SHA256));
        Assert.Equal(sha512, OneTimeCode.Compute(SecretOf(64), step, 8, HashAlgorithmName.SHA512));
    }

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_code_is_good_one_step_to_either_side(long steps, bool isGood)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        var step = OneTimeCode.StepAt(now) + steps;

        Assert.Equal(isGood ? step : null, OneTimeCode.Match(Secret, OneTimeCode.Compute(Secret, step), now, 0));
    }

    [Fact]
    public void A_step_that_is_not_later_than_the_last_used_one_matches_nothing()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        var step = OneTimeCode.StepAt(now);

        Assert.Null(OneTimeCode.Match(Secret, OneTimeCode.Compute(Secret, step), now, step));
        Assert.Null(OneTimeCode.Match(Secret, OneTimeCode.Compute(Secret, step - 1), now, step));
        Assert.Equal(step + 1, OneTimeCode.Match(Secret, OneTimeCode.Compute(Secret, step + 1), now, step));
    }

    /// <summary>RFC 4648, section 10, without the padding.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Secrets_are_shown_as_RFC_4648_has_them(string secret, string shown) => Assert.Equal(shown, OneTimeCode.Show(Encoding.ASCII.GetBytes(secret)));

    [Theory]
    [InlineData("123456", "123456")]
    [InlineData("123 456", "123456")]
    [InlineData("12345", null)]
    [InlineData("1234567", null)]
    [InlineData("१२३४५६", null)]
    [InlineData("12345a", null)]
    [InlineData("", null)]
    public void Only_six_digits_are_a_code(string code, string? normalized) => Assert.Equal(normalized, OneTimeCode.Normalize(code));

    [Theory]
    [InlineData("k3vqx-7m2pd", "k3vqx7m2pd")]
    [InlineData(" K3VQX 7M2PD ", "k3vqx7m2pd")]
    [InlineData("O3vqx-7miLd", "03vqx7m11d")]
    [InlineData("k3vqx-7m2p", null)]
    [InlineData("k3vqx-7m2pu", null)]
    public void Recovery_codes_forgive_how_they_are_typed(string code, string? normalized) => Assert.Equal(normalized, RecoveryCodes.Normalize(code));

    private static byte[] SecretOf(int length) => [.. Enumerable.Range(0, length).Select(i => Secret[i % Secret.Length])];
}
