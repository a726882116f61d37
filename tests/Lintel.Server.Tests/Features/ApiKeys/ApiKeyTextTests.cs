using System.Security.Cryptography;

namespace Lintel.Features.ApiKeys;

public sealed class ApiKeyTextTests
{
    /// <summary>Computed by another program, with the CRC-32C that gives e3069283 for "123456789".</summary>
    [Theory]
    [InlineData("ltl_0000000000000000000000000000000000002kXTBh")]
    [InlineData("ltl_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz3inDxy")]
    [InlineData("ltl_LintelKeysAreThirtySixCharactersLong0n6cmN")]
    public void The_checksum_is_the_CRC_32C_of_what_is_before_it(string key) => Assert.True(ApiKeyText.IsWellFormed(key));

    [Fact]
    public void New_keys_are_well_formed_and_never_the_same()
    {
        var keys = Enumerable.Range(0, 1000).Select(static _ => ApiKeyText.Create()).ToList();

        Assert.All(keys, static key => Assert.Matches("^ltl_[0-9A-Za-z]{42}$", key));
        Assert.All(keys, static key => Assert.True(ApiKeyText.IsWellFormed(key)));
        Assert.Equal(1000, keys.Select(ApiKeyText.PrefixOf).Distinct().Count());
    }

    [Fact]
    public void One_wrong_character_anywhere_is_noticed()
    {
        var key = ApiKeyText.Create();
        for (var i = 0; i < key.Length; i++)
        {
            foreach (var other in "0Aaz_ é\0")
            {
                var changed = key[..i] + other + key[(i + 1)..];
                Assert.Equal(changed == key, ApiKeyText.IsWellFormed(changed));
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ltl_")]
    [InlineData("test-static-key")]
    [InlineData("LTL_0000000000000000000000000000000000002kXTBh")]
    [InlineData("ltl_0000000000000000000000000000000000002kXTBh ")]
    [InlineData("ltl_0000000000000000000000000000000000002kXTB")]
    [InlineData("xltl_0000000000000000000000000000000000002kXTBh")]
    public void What_is_no_key_is_told_without_asking_anybody(string text) => Assert.False(ApiKeyText.IsWellFormed(text));

    [Fact]
    public void The_hash_is_the_SHA_256_of_the_text()
    {
        var key = ApiKeyText.Create();
        var hash = new byte[SHA256.HashSizeInBytes];
        ApiKeyText.Hash(key, hash);

        Assert.Equal(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(key)), hash);
    }
}
